package bitbucket

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The applinks modules write XML by preference. JSON is asked for, but a proxy
// that rewrites Accept, or a version that ignores it, must not stop the work.

func isXML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// xmlObjects returns the elements that have a child named marker, each as its
// attributes and the texts of its direct children. The names of the elements
// around them are not certain, the children's are those of the JSON.
func xmlObjects(body []byte, marker string) ([]map[string]string, error) {
	var found []map[string]string
	var open []map[string]string // fields of the elements that are open
	var text strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not XML: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if strings.EqualFold(token.Name.Local, "html") || len(open) > 32 {
				return nil, errors.New("not the XML that was expected")
			}
			fields := map[string]string{}
			for _, a := range token.Attr {
				fields[a.Name.Local] = a.Value
			}
			open = append(open, fields)
			text.Reset()
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			fields := open[len(open)-1]
			open = open[:len(open)-1]
			if _, ok := fields[marker]; ok {
				found = append(found, fields)
			}
			if len(open) > 0 {
				open[len(open)-1][token.Name.Local] = strings.TrimSpace(text.String())
			}
			text.Reset()
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no element with a %q in it", marker)
	}
	return found, nil
}
