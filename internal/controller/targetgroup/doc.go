// Package targetgroup reconciles TargetGroups of both scopes with target groups
// of Network Load Balancers.
//
// external.go says what is done, find.go how a group is found and told to be ours,
// state.go what is compared, setup.go how it is wired.
package targetgroup
