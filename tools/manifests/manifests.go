// Package manifests holds nothing but tests: that the files in examples/cron are
// what the schedulers that they are for understand, as far as that can be known
// without running one. It is a module of its own, as the schedulers' types are
// large and bbsync needs none of them.
package manifests
