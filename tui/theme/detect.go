package theme

import (
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Background is what the user says about their terminal.
type Background string

// The backgrounds. Auto finds out.
const (
	Auto  Background = "auto"
	Dark  Background = "dark"
	Light Background = "light"
)

// Detect makes the theme for a terminal. It must be called before keys are
// read: a terminal that is asked for its background answers as if typing. Only
// terminals that are known to answer are asked, since waiting for one that does
// not takes seconds; others are taken to be dark unless COLORFGBG says
// otherwise. NO_COLOR is obeyed: bold and reverse, which are no colours, stay.
func Detect(out io.Writer, env func(string) string, b Background) Theme {
	o := termenv.NewOutput(out)
	r := lipgloss.NewRenderer(out)
	profile := o.ColorProfile()
	if profile == termenv.Ascii && eightColours(env("TERM")) {
		profile = termenv.ANSI
	}
	r.SetColorProfile(profile)
	switch b {
	case Dark, Light:
		r.SetHasDarkBackground(b == Dark)
	default:
		r.SetHasDarkBackground(dark(o, env))
	}
	if o.EnvNoColor() {
		return Plain(r)
	}
	return New(r)
}

// eightColours knows terminals whose name does not say that they have colours.
func eightColours(term string) bool {
	for _, name := range []string{"screen", "tmux", "rxvt", "putty", "vt220", "cygwin"} {
		if strings.HasPrefix(term, name) {
			return true
		}
	}
	return false
}

func dark(o *termenv.Output, env func(string) string) bool {
	if fgbg := env("COLORFGBG"); fgbg != "" {
		bg, err := strconv.Atoi(fgbg[strings.LastIndexByte(fgbg, ';')+1:])
		return err != nil || bg < 7 || bg == 8
	}
	if !answers(env) {
		return true
	}
	return o.HasDarkBackground()
}

// answers says that this terminal is known to tell its background when asked.
func answers(env func(string) string) bool {
	if env("TMUX") != "" || env("STY") != "" || env("CI") != "" {
		return false
	}
	switch env("TERM_PROGRAM") {
	case "iTerm.app", "Apple_Terminal", "WezTerm", "ghostty", "vscode":
		return true
	}
	for _, name := range []string{"KITTY_WINDOW_ID", "VTE_VERSION", "KONSOLE_VERSION", "XTERM_VERSION", "ALACRITTY_WINDOW_ID"} {
		if env(name) != "" {
			return true
		}
	}
	return false
}
