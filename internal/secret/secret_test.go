package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
)

const canary = "s3cr3t-canary"

func TestTextNeverPrints(t *testing.T) {
	text := secret.New(canary)
	holder := struct {
		Name string
		Text secret.Text
		Ptr  *secret.Text
	}{"x", text, &text}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", text, holder)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("log", "text", text, "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("log", "text", text, "holder", holder)
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, fmt.Errorf("doing something with %v: %w", text, fmt.Errorf("%s", text)))
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Fatalf("the secret was printed:\n%s", out.String())
	}
	if text.Reveal() != canary {
		t.Fatal("Reveal lost the text")
	}
}

func TestEqualAndEmpty(t *testing.T) {
	if !secret.New("a").Equal(secret.New("a")) || secret.New("a").Equal(secret.New("b")) {
		t.Fatal("Equal is wrong")
	}
	if !secret.New("").Empty() || secret.New("a").Empty() || !(secret.Text{}).Equal(secret.New("")) {
		t.Fatal("Empty is wrong")
	}
}
