package parity

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// authorities are the settings that name a file of certificates which are trusted.
var authorities = []string{"tls.ca_file", "cluster.tls.ca_file"}

// certificatesIn begins the path of what is in such a file.
const certificatesIn = "certificates in "

// largestBundle is more than any file of certificates has, in bytes.
const largestBundle = 4 << 20

// trust reads the certificates that the configuration's files hold. A file's name
// counts from the working directory of the server (nats-server server/opts.go,
// parseTLS), which is taken to be the configuration's folder.
func (f *File) trust(dir string) {
	for _, path := range authorities {
		name, ok := f.settings[path]
		if !ok {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if held := certificates(name); held != "" {
			f.held[path] = held
		}
	}
}

// certificates tells which certificates a file holds, in whatever order and with
// whatever beside them; empty if it has none, or cannot be read.
func certificates(name string) string {
	if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	file, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestBundle))
	if err != nil {
		return ""
	}
	var sums []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(block.Bytes)))
		}
	}
	slices.Sort(sums)
	switch sums = slices.Compact(sums); len(sums) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 certificate, sha256 %.12s…", sums[0])
	}
	all := sha256.New()
	for _, s := range sums {
		all.Write([]byte(s))
	}
	return fmt.Sprintf("%d certificates, sha256 %.6x…", len(sums), all.Sum(nil))
}

// byContent has what the files hold stand for their names, where it is known of
// every server: two names can be the same certificates, and one name different ones.
func byContent(files []File) []File {
	out := slices.Clone(files)
	for i := range out {
		out[i].settings = maps.Clone(out[i].settings)
	}
	for _, path := range authorities {
		if slices.ContainsFunc(out, func(f File) bool { return f.held[path] == "" }) {
			continue
		}
		for _, f := range out {
			delete(f.settings, path)
			f.settings[certificatesIn+path] = f.held[path]
		}
	}
	return out
}
