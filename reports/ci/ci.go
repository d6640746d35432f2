// Package ci tells pipelines what a gate decided, in the forms that they read:
// test results in JUnit's XML, the Markdown of a step of GitHub Actions, a code
// quality report of GitLab, a comment for a merge request, and text for the
// job's log. It decides nothing; package gate does.
package ci
