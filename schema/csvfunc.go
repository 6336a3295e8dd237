package schema

import (
	"errors"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// csvFunc is Terraform's csvdecode for tables as spreadsheets write them: with the
// line ends of any system, a byte order mark, and rows at the end in which
// nothing stands.
func csvFunc() function.Function {
	return function.New(&function.Spec{
		Params: stdlib.CSVDecodeFunc.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			text, err := table(args[0].AsString())
			if err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
			return stdlib.CSVDecodeFunc.ReturnTypeForValues([]cty.Value{cty.StringVal(text)})
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := table(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			rows, err := stdlib.CSVDecode(cty.StringVal(text))
			if err != nil {
				return cty.NilVal, err
			}
			return withoutEmptyRows(rows), nil
		},
	})
}

// table returns the text of a table with line feeds as line ends. Columns that
// something other than a comma separates would be taken for a single one.
func table(text string) (string, error) {
	text = strings.TrimPrefix(text, byteOrderMark)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	header, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	switch {
	case strings.HasPrefix(header, "sep="):
		return "", errors.New("the table begins with " + shown(header) + ", which only a spreadsheet understands: remove the line, and save the table as comma-separated values")
	case strings.Contains(header, ","):
	case strings.Contains(header, ";"):
		return "", errors.New("the columns are separated by semicolons: save the table as comma-separated values")
	case strings.Contains(header, "\t"):
		return "", errors.New("the columns are separated by tabs: save the table as comma-separated values")
	}
	return text, nil
}

// withoutEmptyRows leaves out the rows in which nothing stands.
func withoutEmptyRows(rows cty.Value) cty.Value {
	var kept []cty.Value
	for it := rows.ElementIterator(); it.Next(); {
		_, row := it.Element()
		for column := row.ElementIterator(); column.Next(); {
			if _, value := column.Element(); strings.TrimSpace(value.AsString()) != "" {
				kept = append(kept, row)
				break
			}
		}
	}
	if len(kept) == 0 {
		return cty.ListValEmpty(rows.Type().ElementType())
	}
	return cty.ListVal(kept)
}
