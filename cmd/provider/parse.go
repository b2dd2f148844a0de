package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const program = "provider-nlb"

// variables of the environment of those flags whose own name is not PROVIDER_NLB_ and
// the flag's: Crossplane's providers call them so.
var variables = map[string]string{
	"leader-election":            "LEADER_ELECTION",
	"enable-management-policies": "ENABLE_MANAGEMENT_POLICIES",
	"enable-changelogs":          "ENABLE_CHANGE_LOGS",
	"changelogs-socket-path":     "CHANGELOGS_SOCKET_PATH",
	"pod-namespace":              "POD_NAMESPACE",
}

// variable of the environment that a flag is taken from if the command line lacks it.
func variable(flag string) string {
	if v, ok := variables[flag]; ok {
		return v
	}

	return "PROVIDER_NLB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// parse the command line and what it lacks from the environment, where an empty variable
// is none. It returns pflag.ErrHelp if help is asked for.
//
// Kingpin, which other providers use, formats its help with text/template. That asks for
// methods by reflection, and the linker then keeps all methods of all types.
func (f *flags) parse(args []string, getenv func(string) string) error {
	fs := f.set()
	fs.Usage = func() {}

	if err := fs.Parse(positive(fs, args)); err != nil {
		return err
	}

	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}

	var errs []error

	fs.VisitAll(func(flag *pflag.Flag) {
		value := getenv(variable(flag.Name))
		if flag.Changed || value == "" || flag.Name == "version" {
			return
		}

		if err := flag.Value.Set(value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", variable(flag.Name), value, err))
		}
	})

	return errors.Join(errs...)
}

// positive are arguments in which --no-x is --x=false.
func positive(fs *pflag.FlagSet, args []string) []string {
	out := slices.Clone(args)

	for i, arg := range out {
		name, negative := strings.CutPrefix(arg, "--no-")
		if flag := fs.Lookup(name); negative && flag != nil && flag.Value.Type() == "bool" {
			out[i] = "--" + name + "=false"
		}
	}

	return out
}

// help lists the flags.
func (f *flags) help() string {
	fs := f.set()
	fs.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "version" {
			flag.Usage += " ($" + variable(flag.Name) + ")"
		}
	})

	return "Usage: " + program + " [flags]\n\nCrossplane provider for AWS Network Load Balancers.\n\n" + fs.FlagUsages()
}

// A choice is one of several words.
type choice struct {
	to    *string
	words []string
}

// oneOf makes a choice, which is the first word by default.
func oneOf(to *string, words ...string) *choice {
	*to = words[0]

	return &choice{to, words}
}

// String is the word.
func (c *choice) String() string { return *c.to }

// Type is what help shows.
func (c *choice) Type() string { return strings.Join(c.words, "|") }

// Set takes a word, if it is one of them.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("must be one of %s", strings.Join(c.words, ", "))
	}

	*c.to = word

	return nil
}
