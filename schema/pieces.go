package schema

import (
	"bytes"
	"runtime"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/sync/errgroup"
)

// pieceSize is how many bytes of a file are parsed at once. HCL keeps the tokens
// of all that it parses in one slice, which is many times the text and grows by
// copying; in pieces it stays small, and all processors have their share.
const pieceSize = 32 << 10

// parse is parseConfig: the same body, places and diagnostics.
//
// A line that is a closing brace alone ends a block of the file, but for one in
// a comment, a heredoc, or brackets of several lines. A piece that ends in one of
// these leaves it open, which is a mistake to the parser; and as all that is said
// about a mistake has to be right, a file with any is parsed again, whole.
func parse(src []byte, path string, size int) (*hcl.File, hcl.Diagnostics) {
	if file := parsePieces(pieces(src, size), path); file != nil {
		file.Bytes = src
		return file, nil
	}
	return parseConfig(src, path, hcl.InitialPos)
}

// A piece is some lines of a file, and where they stand in it.
type piece struct {
	src   []byte
	start hcl.Pos
}

// pieces cuts the text behind lines that are "}" alone, each piece but the last
// at least size bytes long.
func pieces(src []byte, size int) []piece {
	var out []piece
	start := hcl.InitialPos
	for len(src) > 0 {
		n := pieceEnd(src, size)
		out = append(out, piece{src[:n], start})
		start.Line += bytes.Count(src[:n], []byte("\n"))
		start.Byte += n
		src = src[n:]
	}
	return out
}

func pieceEnd(src []byte, size int) int {
	for at := min(size, len(src)); ; {
		i := bytes.Index(src[at:], []byte("\n}"))
		if i < 0 {
			return len(src)
		}
		at += i + len("\n}")
		rest := bytes.TrimPrefix(src[at:], []byte("\r"))
		if bytes.HasPrefix(rest, []byte("\n")) {
			return len(src) - len(rest) + 1
		}
	}
}

// parsePieces returns the file of all pieces, nil where it has to be parsed as a
// whole.
func parsePieces(parts []piece, path string) *hcl.File {
	if len(parts) < 2 {
		return nil
	}
	files := make([]*hcl.File, len(parts))
	group := new(errgroup.Group)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range parts {
		group.Go(func() error {
			files[i] = parsePiece(p, path)
			return nil
		})
	}
	_ = group.Wait()
	return joined(files)
}

// parsePiece returns nil for what cannot be joined to other pieces: mistakes,
// attributes, which would have to be compared with theirs, and a byte order mark,
// which HCL skips where a text begins.
func parsePiece(p piece, path string) *hcl.File {
	if p.start.Byte > 0 && bytes.HasPrefix(p.src, []byte(byteOrderMark)) {
		return nil
	}
	file, diags := parseConfig(p.src, path, p.start)
	if body, ok := file.Body.(*hclsyntax.Body); !ok || len(diags) > 0 || len(body.Attributes) > 0 {
		return nil
	}
	return file
}

// joined puts what the files hold into the first, whose Nav then knows it, too.
func joined(files []*hcl.File) *hcl.File {
	var whole *hclsyntax.Body
	for _, f := range files {
		if f == nil {
			return nil
		}
		body, _ := f.Body.(*hclsyntax.Body)
		if whole == nil {
			whole = body
			continue
		}
		whole.Blocks = append(whole.Blocks, body.Blocks...)
		whole.SrcRange = hcl.RangeBetween(whole.SrcRange, body.SrcRange)
		whole.EndRange = body.EndRange
	}
	return files[0]
}
