package clusters

import (
	"strings"
	"unique"

	"k8s.io/apimachinery/pkg/labels"
)

// A labelSet is a set of labels as one sorted string ("a=1,b=2"), which all
// objects with equal labels share: pods of one DaemonSet cost 8 bytes each. Two
// are equal exactly if their labels are.
type labelSet struct{ text unique.Handle[string] }

var _ labels.Labels = labelSet{}

func compact(set map[string]string) labelSet {
	return labelSet{unique.Make(labels.Set(set).String())}
}

// Lookup returns a label's value and whether it is there. Label keys and values
// cannot contain "," or "=".
func (l labelSet) Lookup(key string) (string, bool) {
	for rest := l.text.Value(); rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, ",")
		if k, v, _ := strings.Cut(pair, "="); k == key {
			return v, true
		}
	}
	return "", false
}

// Has says whether a label is there.
func (l labelSet) Has(key string) bool {
	_, ok := l.Lookup(key)
	return ok
}

// Get returns a label's value, empty if it is not there.
func (l labelSet) Get(key string) string {
	v, _ := l.Lookup(key)
	return v
}
