package cli

import "errors"

// ownPages refuses to show pages whose texts would not be the program's own: with
// this variable, which is for people who write pages, the library takes them from
// files in the folder for temporary files, where others write, too. It looks as
// the program starts, so that taking the variable away here would be too late.
func (a *app) ownPages() error {
	if a.getenv("TEMPL_DEV_MODE") != "true" {
		return nil
	}
	return &exitError{code: exitUsage, err: errors.New(
		"TEMPL_DEV_MODE is set, with which the text of pages would come from files of whoever can write to the folder for temporary files; unset it")}
}
