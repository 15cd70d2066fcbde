package release

import (
	"errors"
	"testing"
)

func TestParseSelector(t *testing.T) {
	for in, want := range map[string]selector{
		"2.14.9":          {version: "2.14.9"},
		"v2.14.9":         {version: "2.14.9"},
		"2.15.0-RC.2":     {version: "2.15.0-RC.2"},
		"embedded":        {kind: selectEmbedded},
		"path":            {kind: selectPath},
		"PATH":            {kind: selectPath},
		"path:nats":       {kind: selectFile, file: "nats"},
		"path:2.14.9":     {kind: selectFile, file: "2.14.9"},
		"./nats-server":   {kind: selectFile, file: "./nats-server"},
		"/opt/nats":       {kind: selectFile, file: "/opt/nats"},
		"old/nats-server": {kind: selectFile, file: "old/nats-server"},
		"..":              {kind: selectFile, file: ".."},
	} {
		if got, err := parseSelector(in); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "nats-server", "2.14", "2", "latest", "previous", "path:", "2.14.9+x y", "v", "2.14.9.1"} {
		if got, err := parseSelector(in); !errors.Is(err, ErrSelector) {
			t.Errorf("%q is %+v, %v; want an error", in, got, err)
		}
		if err := Valid(in); !errors.Is(err, ErrSelector) {
			t.Errorf("%q is valid: %v", in, err)
		}
	}
}
