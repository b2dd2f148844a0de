package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// maxName is how long the name of a load balancer or target group may be.
const maxName = 32

var (
	validName   = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	invalidRuns = regexp.MustCompile(`[^a-zA-Z0-9]+`)
)

// DefaultName is the name in AWS of an object whose spec gives none: its own
// name, after its namespace if it has one, if AWS accepts that; else the readable
// beginning of it and 8 hex digits that are different for every object of every
// cluster.
func DefaultName(clusterID, namespace, name string) string {
	full := name
	if namespace != "" {
		full = namespace + "-" + name
	}

	if len(full) <= maxName && validName.MatchString(full) && !strings.HasPrefix(full, "internal-") {
		return full
	}

	sum := sha256.Sum256([]byte(clusterID + "/" + namespace + "/" + name))
	suffix := hex.EncodeToString(sum[:4])

	readable := strings.Trim(invalidRuns.ReplaceAllString(full, "-"), "-")
	for strings.HasPrefix(readable+"-", "internal-") {
		readable = strings.TrimPrefix(strings.TrimPrefix(readable, "internal"), "-")
	}

	readable = strings.Trim(readable[:min(len(readable), maxName-1-len(suffix))], "-")
	if readable == "" {
		return "nlb-" + suffix
	}

	return readable + "-" + suffix
}

// A Found is something in AWS that has an object's identity.
type Found struct {
	// What it is, such as target group "edge".
	What string
	// ExternalName that adopts it.
	ExternalName string
	// Tags that it has.
	Tags map[string]string
	// Otherwise is what to do if it is to be left alone; empty means that another
	// name helps.
	Otherwise string
}

func (f Found) otherwise() string {
	if f.Otherwise == "" {
		return "set spec.forProvider.name to another name"
	}

	return f.Otherwise
}

// Claim says whether what was found belongs to the object, by our tags: nil if
// this cluster created it for this object. Otherwise the error says what to do.
// It is for objects without external name: one that has it adopts what it names.
func Claim(mg resource.Managed, clusterID string, f Found) error {
	for k, v := range identityTags(mg) {
		if f.Tags[k] != v {
			return Stalled{Reason: ReasonIdentityTaken, Message: fmt.Sprintf(
				"%s exists already and was not created for this object: to adopt it, set annotation crossplane.io/external-name to %q; "+
					"otherwise %s", f.What, f.ExternalName, f.otherwise())}
		}
	}

	other := f.Tags[TagCluster]
	if other == clusterID {
		return nil
	}

	return Stalled{Reason: ReasonIdentityTaken, Message: fmt.Sprintf(
		"%s was created for the same object of another cluster, %q: to move it to this cluster, set annotation crossplane.io/external-name to %q; "+
			"if this cluster replaces that one, start the provider with --cluster-id=%s; otherwise %s",
		f.What, other, f.ExternalName, other, f.otherwise())}
}
