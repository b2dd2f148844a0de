package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/request"
	"github.com/crossplane/function-sdk-go/response"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/provider-nlb/provider-nlb/internal/composition"
)

// Conditions of composite resource and claim.
const (
	typeStalled = "Stalled"
	reasonNone  = "None"
)

// A server answers Crossplane's requests.
type server struct {
	fnv1.UnimplementedFunctionRunnerServiceServer

	log logging.Logger
	// now is the clock; nil is the real one.
	now func() time.Time
}

// RunFunction composes a composite resource. What other functions of the pipeline
// want stays.
func (s *server) RunFunction(_ context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	// Zero: there is no time after which the answer is wrong, unless it says so.
	rsp := response.To(req, 0)

	if request.AdvertisesCapabilities(req) && !request.HasCapability(req, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES) {
		response.Fatal(rsp, errors.New("this Crossplane does not give functions the resources that they require: use version 2.2 or newer"))

		return rsp, nil
	}

	now := time.Now
	if s.now != nil {
		now = s.now
	}

	in := ask(req, now())

	out, err := composition.Compose(in)
	if err != nil {
		s.log.Info("cannot compose", "error", err)
		refuse(rsp, err, in)

		return rsp, nil
	}

	if err := answer(rsp, out, in); err != nil {
		response.Fatal(rsp, err)
	}

	return rsp, nil
}

// ask returns a request as the composition wants it.
func ask(req *fnv1.RunFunctionRequest, now time.Time) composition.Request {
	in := composition.Request{
		Composite: req.GetObserved().GetComposite().GetResource().AsMap(),
		Observed:  map[string]composition.Object{},
		Required:  map[string]composition.Object{},
		Now:       now,
	}

	for name, r := range req.GetObserved().GetResources() {
		in.Observed[name] = r.GetResource().AsMap()
	}

	for name, r := range req.GetRequiredResources() {
		in.Required[name] = nil
		if items := r.GetItems(); len(items) > 0 {
			in.Required[name] = items[0].GetResource().AsMap()
		}
	}

	return in
}

// refuse says what is wrong, on the claim too, and leaves everything as it is.
func refuse(rsp *fnv1.RunFunctionResponse, err error, in composition.Request) {
	var invalid composition.Invalid
	if errors.As(err, &invalid) {
		tell(rsp, &composition.Problem{Reason: composition.ReasonInvalid, Message: invalid.Message, Stalled: true}, conditionsOf(in.Composite))
	}

	response.Fatal(rsp, err)
}

// tell sets the conditions that say whether there is a problem, and makes an Event
// of one that has not been told.
func tell(rsp *fnv1.RunFunctionResponse, p *composition.Problem, conditions []condition) {
	was := func(t string) (condition, bool) {
		i := slices.IndexFunc(conditions, func(c condition) bool { return c.Type == t })
		if i < 0 {
			return condition{}, false
		}

		return conditions[i], true
	}

	if p == nil {
		response.ConditionFalse(rsp, composition.TypeProblem, reasonNone).TargetCompositeAndClaim()

		// A condition that was set cannot be taken back.
		if _, ok := was(typeStalled); ok {
			response.ConditionFalse(rsp, typeStalled, reasonNone).TargetCompositeAndClaim()
		}

		return
	}

	response.ConditionTrue(rsp, composition.TypeProblem, p.Reason).WithMessage(p.Message).TargetCompositeAndClaim()

	if told, _ := was(composition.TypeProblem); told.Message != p.Message || told.Status != "True" {
		response.Warning(rsp, errors.New(p.Message)).WithReason(p.Reason).TargetCompositeAndClaim()
	}

	if p.Stalled {
		response.ConditionTrue(rsp, typeStalled, p.Reason).WithMessage(p.Message).TargetCompositeAndClaim()
	} else if _, ok := was(typeStalled); ok {
		response.ConditionFalse(rsp, typeStalled, reasonNone).TargetCompositeAndClaim()
	}
}

// A condition as it is in status.
type condition struct{ Type, Status, Message string }

func conditionsOf(composite composition.Object) []condition {
	status, _ := composite["status"].(map[string]any)
	list, _ := status["conditions"].([]any)

	var out []condition

	for _, c := range list {
		m, _ := c.(map[string]any)
		text := func(k string) string {
			v, _ := m[k].(string)

			return v
		}

		out = append(out, condition{Type: text("type"), Status: text("status"), Message: text("message")})
	}

	return out
}

// answer writes what the composition decided into a response.
func answer(rsp *fnv1.RunFunctionResponse, out composition.Response, in composition.Request) error {
	if rsp.GetDesired() == nil {
		rsp.Desired = &fnv1.State{}
	}

	d := rsp.GetDesired()
	if d.GetResources() == nil {
		d.Resources = map[string]*fnv1.Resource{}
	}

	for name, r := range out.Resources {
		s, err := structpb.NewStruct(r.Object)
		if err != nil {
			return fmt.Errorf("cannot compose %q: %w", name, err)
		}

		d.Resources[name] = &fnv1.Resource{Resource: s}
		if r.Ready {
			d.Resources[name].Ready = fnv1.Ready_READY_TRUE
		}
	}

	composite := &fnv1.Resource{ConnectionDetails: out.Connection}

	ready, err := out.IsReady(in)
	if err != nil {
		return fmt.Errorf("cannot tell whether it is ready: %w", err)
	}

	if !ready {
		composite.Ready = fnv1.Ready_READY_FALSE
	}

	// An empty one would be written as well, and counted by the circuit breaker.
	if len(out.Status) > 0 {
		s, err := structpb.NewStruct(composition.Object{"status": out.Status})
		if err != nil {
			return fmt.Errorf("cannot write status: %w", err)
		}

		composite.Resource = s
	}

	d.Composite = composite
	require(rsp, out.Require)

	if out.Again > 0 {
		rsp.Meta.Ttl = durationpb.New(out.Again)
	}

	tell(rsp, out.Problem, conditionsOf(in.Composite))

	return nil
}

// require asks Crossplane for resources.
func require(rsp *fnv1.RunFunctionResponse, resources map[string]composition.Requirement) {
	for name, r := range resources {
		if rsp.GetRequirements() == nil {
			rsp.Requirements = &fnv1.Requirements{Resources: map[string]*fnv1.ResourceSelector{}}
		}

		rsp.Requirements.Resources[name] = &fnv1.ResourceSelector{
			ApiVersion: r.APIVersion, Kind: r.Kind, Match: &fnv1.ResourceSelector_MatchName{MatchName: r.Name},
		}
	}
}
