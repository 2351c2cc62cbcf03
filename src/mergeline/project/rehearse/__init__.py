"""The rehearsal in a browser: a review from pull request to rollback, on one machine.

A site on the loopback interface beside GitHub's stand-in, rendered by the server; no page
needs JavaScript but a build's own report.

The map: `serve` runs it; `site` has the addresses, `guard` who may ask and what a page may
do; `robot` does what GitHub's automation would (a build behind a push, the trusted job behind
a build or an approval, the promotion behind a merge), `lanes` the jobs one after another;
`story` what Ada opens, and when; `guide` what to try next; `desk` reads ledger and standing,
`pulls`, `changed`, `comments`, `entries` and `asking` make what the templates show.
"""
