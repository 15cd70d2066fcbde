package release

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// platform is this machine as "linux/amd64", with the given separator.
func platform(sep string) string { return runtime.GOOS + sep + runtime.GOARCH }

// describe says what a file is that the system refuses to run, from its first
// bytes: a damaged file has no more.
func describe(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return plain(err)
	}
	defer f.Close()
	b := make([]byte, 512)
	n, _ := io.ReadFull(f, b)
	b = b[:n]
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
	case n >= 4 && (string(b[:2]) == "\x1f\x8b" || string(b[:2]) == "PK"):
		return "it is an archive; unpack it first"
	case !bytes.ContainsRune(b, 0):
		return "it is a text file without a #! line"
	default:
		return "it is not a program"
	}
	return fmt.Sprintf("it is %s, this is %s", kind, platform("/"))
}
