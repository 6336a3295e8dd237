package notify

import (
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// Text returns a message as a chat may show it: as code, in which Slack,
// Mattermost and Rocket.Chat look for no links, formats and mentions, and with
// mentions and links broken for those that look all the same. Slack asks for
// &, < and > as entities, also within code.
func Text(message string) string {
	lines := strings.Split(message, "\n")
	for i, line := range lines {
		lines[i] = chat.Replace(plaintext.Line(line))
	}
	return "```\n" + strings.Join(lines, "\n") + "\n```"
}

var chat = strings.NewReplacer( //nolint:gochecknoglobals // a constant
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "@", "@ ", "](", "] (")
