package composition

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// An Object is a Kubernetes object as JSON decodes it.
type Object = map[string]any

// A Request is what there is: a composite resource and what belongs to it.
type Request struct {
	// Composite resource.
	Composite Object
	// Observed resources, by their name in the composition.
	Observed map[string]Object
	// Required resources that were asked for. The value is nil if there is no such
	// resource.
	Required map[string]Object
	// Now is the time of the request.
	Now time.Time
}

// A Response is what there should be.
type Response struct {
	// Resources to compose, by their name in the composition.
	Resources map[string]Resource
	// Status of the composite resource.
	Status Object
	// Connection details of a legacy composite resource.
	Connection map[string][]byte
	// Problem in one sentence, for whoever wrote the claim; nil if there is none.
	Problem *Problem
	// Require these resources, and ask again with them.
	Require map[string]Requirement
	// Waits says that the composite resource cannot be ready yet, although all of
	// its resources may be.
	Waits bool
	// Again is when to ask again although nothing has changed; 0 is never.
	Again time.Duration
}

// IsReady says whether the composite resource is: nothing waits, and each of its
// resources is there and ready. Crossplane would find that out itself, but until
// then it lists in condition Ready what is not ready yet: an update of the
// composite resource for each resource that gets ready, and each update counts
// against the circuit breaker.
func (r Response) IsReady(req Request) (bool, error) {
	for name, want := range r.Resources {
		o, ok := req.Observed[name]
		if !ok {
			return false, nil
		}

		status, err := decode[xpv2.ConditionedStatus](o["status"])
		if err != nil {
			return false, err
		}

		if !want.Ready && conditionOf(status.Conditions, xpv2.TypeReady).Status != "True" {
			return false, nil
		}
	}

	return !r.Waits, nil
}

// A Resource to compose.
type Resource struct {
	Object Object
	// Ready says that it is ready as soon as it is there. Otherwise its condition
	// Ready decides.
	Ready bool
}

// A Requirement is an object that is needed to decide.
type Requirement struct{ APIVersion, Kind, Name string }

// A Problem is something that somebody has to look at.
type Problem struct {
	// Reason in one word.
	Reason string
	// Message in one sentence.
	Message string
	// Stalled says that only a change of the claim helps.
	Stalled bool
}

// Reasons of problems that the composition itself finds.
const (
	ReasonInvalid            = "Invalid"
	ReasonEnvironmentMissing = "EnvironmentMissing"
	ReasonNoTargets          = "NoTargets"
)

// An Invalid error is a claim that can never be composed as it is. Nothing that
// is there must be touched because of it.
type Invalid struct{ Message string }

func (e Invalid) Error() string { return e.Message }

// Compose decides what there should be. The error is Invalid if the claim has to
// be changed first.
func Compose(req Request) (Response, error) {
	s, err := styleOf(req.Composite)
	if err != nil {
		return Response{}, err
	}

	switch strings.TrimPrefix(s.kind, s.prefix) {
	case kindBalancer:
		return composeBalancer(s, req)
	case kindPort:
		return composePort(s, req)
	}

	return Response{}, Invalid{fmt.Sprintf("this function composes %s and %s, not %s", kindBalancer, kindPort, s.kind)}
}

// decode returns a part of an object as a type of ours; its zero value if the part
// is not there.
func decode[T any](from any) (T, error) {
	var out T
	if from == nil {
		return out, nil
	}

	data, err := json.Marshal(from)
	if err != nil {
		return out, fmt.Errorf("cannot encode %T: %w", from, err)
	}

	if err := json.Unmarshal(data, &out); err != nil {
		return out, Invalid{"cannot read " + location(err)}
	}

	return out, nil
}

// location says where JSON is not what it should be.
func location(err error) string {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return fmt.Sprintf("%s: it is %s, but should be %s", t.Field, t.Value, t.Type)
	}

	return err.Error()
}

// encode returns a value as JSON decodes it.
func encode(v any) (Object, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot encode %T: %w", v, err)
	}

	var out Object
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("cannot decode %T: %w", v, err)
	}

	return out, nil
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}

	return *p
}
