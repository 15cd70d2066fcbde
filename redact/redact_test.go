package redact

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	nkey   = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY" // nobody's
	jwt    = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJYIn0.c2lnbmF0dXJl"
	bcrypt = "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS"
)

var texts = map[string]string{
	// Addresses.
	"nats://bob:s3cret@localhost:4222":                        "nats://***@localhost:4222",
	"nats://t0k3n@localhost:4222":                             "nats://***@localhost:4222",
	"nats://a:s3cret@x:1,nats://b:s3cret@y:2":                 "nats://***@x:1,nats://***@y:2",
	"get https://u:s3cr@t@mirror/v2.14.9/x.zip: no":           "get https://***@mirror/v2.14.9/x.zip: no",
	`parse "nats://bob:s3/cret@x": invalid port`:              `parse "nats://***@x": invalid port`,
	"bob:s3cret@localhost:4222":                               "***@localhost:4222",
	"https://mirror/x?token=s3cret&v=1":                       "https://mirror/x?token=***",
	"https://mirror/x?X-Amz-Signature=s3cret":                 "https://mirror/x?X-Amz-Signature=***",
	"https://mirror/x?v=1&sig=s3cret&w=2":                     "https://mirror/x?v=1&sig=***&w=2",
	"https://localhost:8080/github.com/x/@v/list":             "https://localhost:8080/github.com/x/@v/list",
	"http://[::1]:8222/a@b":                                   "http://[::1]:8222/a@b",
	"-routes nats://localhost:6222,nats://localhost:6333":     "-routes nats://localhost:6222,nats://localhost:6333",
	"Error dialing nats-route://ruser:s3cret@localhost:6222/": "Error dialing nats-route://***@localhost:6222/",
	// Names and values.
	"password=s3cret":                              "password=***",
	"DB_PASS='s3 cret' ./app":                      "DB_PASS=*** ./app",
	`{"user":"bob","pass":"s3cret","x":1}`:         `{"user":"bob","pass":***,"x":1}`,
	`CONNECT {\"auth_token\":\"s3cret\"}`:          `CONNECT {\"auth_token\":***`,
	"Authorization: Bearer s3cret":                 "Authorization: ***",
	"the header was bearer 0123456789abcdef0==":    "the header was bearer ***",
	"bad password: token: s3cret":                  "bad password: token: ***",
	"authorization { password: s3cret }":           "authorization { password: *** }",
	"nats_api-key = s3cret":                        "nats_api-key = ***",
	"bypass: yes, compass: no":                     "bypass: yes, compass: no",
	"Authorization Violation":                      "Authorization Violation",
	"cid:5 - authentication error - User \"bob\"":  "cid:5 - authentication error - User \"bob\"",
	"every check passed: 12 of 12":                 "every check passed: 12 of 12",
	"A runs 2.15.2: /varz: 2.15.2, pid 812, A⇄B 4": "A runs 2.15.2: /varz: 2.15.2, pid 812, A⇄B 4",
	// Command lines.
	"nats-server -D --user bob --pass s3cret -p 4222": "nats-server -D --user *** --pass *** -p 4222",
	"nats-server -auth s3cret":                        "nats-server -auth ***",
	`nats sub --password="s3 cret" ">"`:               `nats sub --password=*** ">"`,
	"nats sub --creds /home/bob/s3cret.creds x":       "nats sub --creds *** x",
	"curl -u bob:s3cret http://x":                     "curl -u *** http://x",
	"python -u worker.py --seed 42":                   "python -u worker.py --seed 42",
	"kill -INT 811":                                   "kill -INT 811",
	// Shapes.
	"use " + nkey + " for it": "use *** for it",
	"user_jwt " + jwt:         "user_jwt ***",
	"hash " + bcrypt + ".":    "hash ***.",
	"id N" + strings.ToUpper("b3aqxmzx3pcgy5vq7p6hpjybhxbt77bzozu6ilmt4p65ov53cfx2xje"): "id NB3AQXMZX3PCGY5VQ7P6HPJYBHXBT77BZOZU6ILMT4P65OV53CFX2XJE",
	"-----BEGIN PRIVATE KEY-----\nMIIs3cret\n-----END PRIVATE KEY-----":                 "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----",
}

func TestTextLosesItsSecretsAndNothingElse(t *testing.T) {
	for in, want := range texts {
		got := Text(in)
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
		if again := Text(got); again != got {
			t.Errorf("not the same when done twice: %s, then %s", got, again)
		}
	}
}

func TestArgs(t *testing.T) {
	in := []string{"app", "--user", "bob", "--password", "s3 cret", "--pass=s3cret", "nats://s3cret@x", "--token", "-p", "4222"}
	got := strings.Join(Args(in), "|")
	if want := "app|--user|***|--password|***|--pass=***|nats://***@x|--token|***|4222"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if in[2] != "bob" {
		t.Error("changed what it was given")
	}
}

func TestJSONKeepsItsForm(t *testing.T) {
	for in, want := range map[string]string{
		`{"command":["x","--pass","s3cret","y"], "n":1.50}`:          `{"command":["x","--pass","***","y"], "n":1.50}`,
		`{"a":"--pass","b":"kept"}`:                                  `{"a":"--pass","b":"kept"}`,
		`{"password" : "s3cret","user_token":"s3cret","tokens":"2"}`: `{"password" : "***","user_token":"***","tokens":"2"}`,
		`{"text":"say \"nats://s3cret@x\" \\"}`:                      `{"text":"say \"nats://***@x\" \\"}`,
		`{"text":"a=\u0026 password: s3cret"}`:                       `{"text":"a=\u0026 password: ***"}`,
		`{"untouched":"\u003c","at":"@"}`:                            `{"untouched":"\u003c","at":"@"}`,
		`[]`:                                                         `[]`,
	} {
		if got := string(JSON([]byte(in))); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Done twice is the same as done once, whatever it is done to, and JSON stays
// JSON.
func FuzzRedact(f *testing.F) {
	for in := range texts {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		once := Text(in)
		if twice := Text(once); twice != once {
			t.Errorf("%q, then %q", once, twice)
		}
		doc, err := json.Marshal(map[string]any{in: []string{in, in}, "token": in})
		if err != nil {
			t.Fatal(err)
		}
		clean := JSON(doc)
		if !json.Valid(clean) {
			t.Fatalf("%s became %s", doc, clean)
		}
		if again := JSON(clean); string(again) != string(clean) {
			t.Errorf("%s, then %s", clean, again)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	doc := []byte(strings.Repeat(`{"name":"nats-roll: sub 12","subject":"roll.>","status":"connected","known":["nats://localhost:4222"]},`, 1000))
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		JSON(doc)
	}
}
