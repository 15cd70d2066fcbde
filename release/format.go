package release

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// platform is this machine as "linux/amd64", with the given separator.
func platform(sep string) string { return runtime.GOOS + sep + runtime.GOARCH }

// isArchive says that a file is what a release is packed in.
func isArchive(path string) bool {
	b, _ := begins(path, 2)
	return string(b) == "\x1f\x8b" || string(b) == "PK"
}

// cutOff says that a file ends before the program in it does. The table of its
// sections lies at the end.
func cutOff(path string) bool {
	if b, _ := begins(path, len(elf.ELFMAG)); string(b) != elf.ELFMAG {
		return false
	}
	f, err := elf.Open(path)
	if err != nil {
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	f.Close()
	return false
}

// begins reads the first bytes of a file, or what there is of them.
func begins(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, n)
	n, _ = io.ReadFull(f, b)
	return b[:n], nil
}

// describe says what a file is that the system refuses to run, from its first
// bytes: a damaged file has no more.
func describe(path string) string {
	b, err := begins(path, 512)
	if err != nil {
		return plain(err)
	}
	n := len(b)
	var kind string
	switch {
	case n == 0:
		return "the file is empty"
	case n >= 20 && string(b[:4]) == elf.ELFMAG:
		order := binary.ByteOrder(binary.LittleEndian)
		if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
			order = binary.BigEndian
		}
		kind = "an ELF program for " + strings.ToLower(strings.TrimPrefix(elf.Machine(order.Uint16(b[18:])).String(), "EM_"))
	case n >= 8 && (binary.LittleEndian.Uint32(b) == macho.Magic64 || binary.LittleEndian.Uint32(b) == macho.Magic32):
		kind = "a macOS program for " + strings.ToLower(strings.TrimPrefix(macho.Cpu(binary.LittleEndian.Uint32(b[4:])).String(), "Cpu"))
	case n >= 4 && binary.BigEndian.Uint32(b) == macho.MagicFat:
		kind = "a macOS program"
	case n >= 2 && string(b[:2]) == "MZ":
		kind = "a Windows program"
		if f, err := pe.Open(path); err == nil {
			f.Close()
			if f.Machine == pe.IMAGE_FILE_MACHINE_ARM64 {
				kind += " for arm64"
			}
		}
	case isArchive(path):
		return "it is an archive; unpack it first"
	case !bytes.ContainsRune(b, 0):
		return "it is a text file without a #! line"
	default:
		return "it is not a program"
	}
	return fmt.Sprintf("it is %s, this is %s", kind, platform("/"))
}
