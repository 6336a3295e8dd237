package cli

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"
)

// claim has the record of an organization say that it took over another one's, as
// somebody may write who has that one record:
//
//	claim ORGANIZATION OTHER
//	claim ORGANIZATION       not any more
func claim(ts *testscript.TestScript, _ bool, args []string) {
	client, path := recordOf(ts, args[0])
	defer client.Close()
	record, version, err := client.Read(context.Background(), path)
	ts.Check(err)
	record.MovedFrom = ""
	if len(args) == 2 {
		other, from := recordOf(ts, args[1])
		other.Close()
		record.MovedFrom = from
	}
	_, err = client.Write(context.Background(), path, record, version)
	ts.Check(err)
}
