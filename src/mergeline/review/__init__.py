"""The trusted job behind a pull request: a build's bundle in, comment and `reviewed` out."""
