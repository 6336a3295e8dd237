// Package judges holds the sandbox's Bitbucket to other people's clients: modules of
// their own, in their pinned versions, doing every call that they share with bbsync.
// A client that cannot read an answer, or whose request is refused, has found something
// that the sandbox does differently from the servers that the client is used with.
//
// It tests nothing of bbsync itself.
package judges
