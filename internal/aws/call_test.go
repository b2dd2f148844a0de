package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"
)

// wire answers requests in memory: no sockets, so that a test's clock runs.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

func respond(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func refused(status int, code, message, id string) (*http.Response, error) {
	return respond(status, fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>", code, message, id))
}

func healthy() (*http.Response, error) {
	return respond(http.StatusOK, "<DescribeTargetHealthResponse><DescribeTargetHealthResult/><ResponseMetadata><RequestId>r-ok</RequestId></ResponseMetadata></DescribeTargetHealthResponse>")
}

func client(b *Budget, w wire) *elbv2.Client {
	p := newPool(PoolOptions{UserAgent: "provider-nlb/v0.1.0 cluster/4f2a"}, w)
	cfg := Config{Credentials: Credentials{Source: SourceSecret, Static: StaticCredentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}}}
	provider, err := p.credentials(context.Background(), cfg, "eu-west-1")
	if err != nil {
		panic(err)
	}
	return p.elbv2(provider, cfg, "eu-west-1", &shared{elbv2: b, ledger: newLedger()})
}

func health(ctx context.Context, c ELBv2, options ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error) {
	return c.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: sdk.String("arn")}, options...)
}

func TestEveryAttemptTakesAToken(t *testing.T) {
	cases := map[string]struct {
		reason        string
		fail          int
		options       []func(*elbv2.Options)
		prepaid       bool
		calls, tokens int
	}{
		"Success":        {reason: "A call is one attempt.", calls: 1, tokens: 1},
		"Retries":        {reason: "AWS counts attempts, so a retry takes a token too.", fail: 2, calls: 3, tokens: 3},
		"Exhausted":      {reason: "Three attempts are all; the work queue tries again.", fail: 9, calls: 3, tokens: 3},
		"NoRetry":        {reason: "The binder decides after each failure what to send next.", fail: 9, options: []func(*elbv2.Options){NoRetry}, calls: 1, tokens: 1},
		"Prepaid":        {reason: "A token that was acquired before is not paid twice.", prepaid: true, calls: 1},
		"PrepaidRetries": {reason: "Prepaid pays the first attempt, not the others.", fail: 9, prepaid: true, calls: 3, tokens: 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(nil)
				calls := 0
				c := client(b, func(*http.Request) (*http.Response, error) {
					calls++
					if calls <= tc.fail {
						return refused(http.StatusServiceUnavailable, "ServiceUnavailable", "x", "r")
					}
					return healthy()
				})
				ctx := t.Context()
				if tc.prepaid {
					ctx = Prepaid(ctx)
				}
				// Nothing comes back, so that the level shows what was taken.
				for _, k := range b.buckets {
					k.limit.PerSecond = 0
				}
				_, err := health(ctx, c, tc.options...)
				if (err != nil) != (calls <= tc.fail) {
					t.Errorf("unexpected error %v", err)
				}
				level := b.Level()
				got := []float64{float64(calls), 20 - level[NonMutating].Tokens, 20 - level[AccountWide].Tokens, float64(level[NonMutating].Calls)}
				want := []float64{float64(tc.calls), float64(tc.tokens), float64(tc.tokens), float64(tc.calls)}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s\ncalls, tokens, account-wide tokens, counted calls\n-want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestAPrepaidContextPaysOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		c := client(b, func(*http.Request) (*http.Response, error) { return healthy() })
		ctx := Prepaid(t.Context())
		for range 3 {
			if _, err := health(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.Level()[NonMutating].Tokens; got != 18 {
			t.Errorf("%v tokens are left, want 18: one of three calls was paid for", got)
		}
	})
}

func TestThrottledCallsSlowTheirCategory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		c := client(b, func(*http.Request) (*http.Response, error) {
			return refused(http.StatusBadRequest, "Throttling", "Rate exceeded", "r")
		})
		_, err := health(t.Context(), c, NoRetry)
		level := b.Level()[NonMutating]
		if Classify(err) != ClassThrottled || level.Throttled != 1 || level.PerSecond != 2.5 {
			t.Errorf("got %v and %+v, want a Throttled error, one throttled call and half of 5 a second", err, level)
		}
	})
}

func TestPriorityOfACall(t *testing.T) {
	cases := map[string]struct {
		reason   string
		ctx      context.Context
		action   string
		priority Priority
	}{
		"ByAction":   {"Registrations go first, without a word.", t.Context(), "RegisterTargets", PriorityRegister},
		"Health":     {"Health can wait.", t.Context(), "DescribeTargetHealth", PriorityBackground},
		"Others":     {"A reconcile's calls are normal.", t.Context(), "DescribeTags", PriorityNormal},
		"ByContext":  {"A gate's read may go before others.", WithPriority(t.Context(), PriorityRegister), "DescribeTargetHealth", PriorityRegister},
		"Deregister": {"Deregistrations come after registrations.", t.Context(), "DeregisterTargets", PriorityDeregister},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := priorityOf(tc.ctx, tc.action); got != tc.priority {
				t.Errorf("%s\ngot %d, want %d", tc.reason, got, tc.priority)
			}
		})
	}
}

// silent never answers, as a host that drops packets.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// trickle sends headers, and then nothing.
func trickle(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(readerFunc(func([]byte) (int, error) {
		<-r.Context().Done()
		return 0, r.Context().Err()
	}))}, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestACallEndsInTime(t *testing.T) {
	cases := map[string]struct {
		reason string
		wire   wire
		give   time.Duration
		empty  bool
		want   string
		took   time.Duration
	}{
		"Silence":         {"A host that does not answer must not outlive a lease.", silent, 0, false, "AWS did not answer within 8s", CallTimeout},
		"HalfAnAnswer":    {"Neither must one that stops in the middle.", trickle, 0, false, "AWS did not answer within 8s", CallTimeout},
		"CallerGivesUp":   {"The caller's own deadline is not AWS's fault.", silent, 3 * time.Second, false, "the call was given up before AWS answered", 3 * time.Second},
		"TokenWaitIsOurs": {"Waiting for a token does not shorten the call: nothing has been sent.", silent, 0, true, "AWS did not answer within 8s", CallTimeout + 200*time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(nil)
				if tc.empty {
					drain(t, b, NonMutating, PriorityNormal, 20)
				}
				ctx := WithPriority(t.Context(), PriorityNormal)
				if tc.give > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.give)
					defer cancel()
				}
				start := time.Now()
				_, err := health(ctx, client(b, tc.wire))
				got := []any{Describe(err), Classify(err), errors.Is(err, context.DeadlineExceeded), time.Since(start).Round(10 * time.Millisecond)}
				want := []any{tc.want, ClassTransient, true, tc.took}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s\n%v", tc.reason, diff, err)
				}
			})
		})
	}
}

func TestWaitingForARetryIsThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		b.buckets[NonMutating].limit.PerSecond = 0.01
		drain(t, b, NonMutating, PriorityNormal, 19)
		_, err := health(WithPriority(t.Context(), PriorityNormal), client(b, func(*http.Request) (*http.Response, error) {
			return refused(500, "InternalFailure", "oops", "r")
		}))
		got := []any{Describe(err), Classify(err)}
		want := []any{"gave up waiting for our share of AWS's request rate (non-mutating)", ClassThrottled}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("AWS has answered; it is our own share that kept the retry from being sent in time\n-want, +got:\n%s", diff)
		}
	})
}

func TestAWSHasAnsweredThoughTheTimeIsOver(t *testing.T) {
	cases := map[string]struct {
		reason string
		second func(*http.Request) (*http.Response, error)
		want   string
		class  Class
	}{
		"BetweenAttempts": {"What AWS said last is what is known.", nil, "Throttling: Rate exceeded", ClassThrottled},
		"OpenAttempt": {
			"An attempt without an answer may take effect, whatever came before.",
			func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
			"the call was given up before AWS answered", ClassTransient,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				_, err := health(ctx, client(NewBudget(nil), func(r *http.Request) (*http.Response, error) {
					if n++; n > 1 {
						time.AfterFunc(time.Second, cancel)
						return tc.second(r)
					}
					if tc.second == nil {
						// The pause before the next attempt has begun when it is over.
						time.AfterFunc(time.Nanosecond, cancel)
					}
					return refused(400, "Throttling", "Rate exceeded", "r")
				}))
				cancel()
				if diff := cmp.Diff([]any{tc.want, tc.class}, []any{Describe(err), Classify(err)}); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestErrorsOfACallAreStable(t *testing.T) {
	denied := "User: arn:aws:sts::1:assumed-role/p/provider-nlb is not authorized to perform: elasticloadbalancing:DescribeTargetHealth"
	op := "operation error Elastic Load Balancing v2: DescribeTargetHealth, "
	cases := map[string]struct {
		reason string
		wire   func(n int) (*http.Response, error)
		want   string
		class  Class
	}{
		"Denied": {
			"AWS's message stays; the request id goes.",
			func(n int) (*http.Response, error) {
				return refused(403, "AccessDenied", denied, fmt.Sprintf("0e7b2b8a-%04d", n))
			}, "AccessDenied: " + denied, ClassDenied,
		},
		"Modelled": {
			"An exception of the model has its wire code.",
			func(n int) (*http.Response, error) {
				return refused(400, "TargetGroupNotFound", "One or more target groups not found", fmt.Sprint(n))
			}, "TargetGroupNotFound: One or more target groups not found", ClassNotFound,
		},
		"Retried": {
			"How often we tried is not in the text.",
			func(n int) (*http.Response, error) { return refused(500, "InternalFailure", "oops", fmt.Sprint(n)) },
			"InternalFailure: oops", ClassTransient,
		},
		"Proxy": {
			"A proxy answers in HTML.",
			func(n int) (*http.Response, error) {
				return respond(502, fmt.Sprintf("<html><hr>Bad gateway %d</html>", n))
			}, "AWS answered with HTTP status 502 and no error code", ClassTransient,
		},
		"Refused": {
			"Addresses and ports change with every attempt.",
			func(n int) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(n)), Port: 443}, Err: errRefused}
			}, "cannot reach AWS: connection refused", ClassTransient,
		},
		"Cut": {
			"The request may or may not have been heard.",
			func(int) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
			"cannot reach AWS: the connection was closed before the answer was complete", ClassTransient,
		},
		"NoName": {
			"The resolver's address is not in the text, and a region that works does not become invalid.",
			func(n int) (*http.Response, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "elasticloadbalancing.eu-west-1.amazonaws.com", Server: fmt.Sprintf("10.0.0.%d:53", n), IsNotFound: true}
			}, "cannot reach AWS: the name of its endpoint does not exist in DNS", ClassTransient,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				c := client(NewBudget(nil), func(*http.Request) (*http.Response, error) {
					n++
					return tc.wire(n)
				})
				for range 2 {
					_, err := health(t.Context(), c)
					kept := Wrap(fmt.Errorf("cannot read: %w", err))
					got := []any{err.Error(), Describe(err), Wrap(err).Error(), kept.Error(), Classify(err), Classify(Wrap(err))}
					want := []any{op + tc.want, tc.want, tc.want, "cannot read: " + op + tc.want, tc.class, tc.class}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
					}
				}
			})
		})
	}
}

func TestRequestIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := func() (*http.Response, error) {
			r, err := healthy()
			r.Header.Set("X-Amzn-Requestid", "id-of-answer")
			return r, err
		}
		out, err := health(t.Context(), client(NewBudget(nil), func(*http.Request) (*http.Response, error) { return answer() }))
		if err != nil {
			t.Fatal(err)
		}
		_, err = health(t.Context(), client(NewBudget(nil), func(*http.Request) (*http.Response, error) {
			r, err := refused(400, "ValidationError", "x", "id-of-refusal")
			r.Header.Set("X-Amzn-Requestid", "id-of-refusal")
			return r, err
		}))
		got := []string{RequestIDOf(out.ResultMetadata), RequestID(err), RequestID(io.EOF)}
		if diff := cmp.Diff([]string{"id-of-answer", "id-of-refusal", ""}, got); diff != "" {
			t.Errorf("support asks for them\n-want, +got:\n%s", diff)
		}
	})
}
