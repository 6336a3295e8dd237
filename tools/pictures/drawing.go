package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The terminal that is drawn.
const (
	columns    = 126
	width      = 983 + 2*margin // of so many letters of 13 pixels
	lineHeight = 18
	margin     = 14
)

// escape is how bbsync colours text, and the only thing of a terminal it uses
// outside of progress.
var escape = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// drawing returns text with terminal colours as SVG.
func drawing(text string) string {
	var body strings.Builder
	lines, style := 0, ""
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		at, cut := 0, false
		fmt.Fprintf(&body, `<text x="%d" y="%d">`, margin, margin+lineHeight*(lines+1)-5)
		for line != "" && !cut {
			plain := line
			place := escape.FindStringSubmatchIndex(line)
			if place != nil {
				plain = line[:place[0]]
			}
			if room := columns - at; utf8.RuneCountInString(plain) > room {
				plain, cut = string([]rune(plain)[:room-1])+"…", true
			}
			at += utf8.RuneCountInString(plain)
			body.WriteString(span(style, plain))
			if place == nil {
				break
			}
			style, line = line[place[2]:place[3]], line[place[1]:]
		}
		if cut {
			style = ""
		}
		body.WriteString("</text>\n")
		lines++
	}
	height := lines*lineHeight + 2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<style>text { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3; white-space: pre } .c1 { font-weight: bold } .c2 { fill: #8b949e } .c31 { fill: #ff7b72 } .c32 { fill: #7ee787 } .c33 { fill: #e3b341 } .c36 { fill: #76e3ea }</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
%s</svg>
`, width, height, width, height, body.String())
}

func span(style, text string) string {
	if text == "" {
		return ""
	}
	if style == "" || style == "0" {
		return `<tspan>` + html.EscapeString(text) + `</tspan>`
	}
	return `<tspan class="c` + strings.ReplaceAll(style, ";", " c") + `">` + html.EscapeString(text) + `</tspan>`
}
