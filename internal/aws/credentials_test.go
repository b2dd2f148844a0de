package aws

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

func TestAShortFailureOfSTSIsNotNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, asked := false, 0
		c := cached("of role r", sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			asked++
			if down {
				return sdk.Credentials{}, errors.New("STS is down")
			}
			return sdk.Credentials{AccessKeyID: "k", SecretAccessKey: "s", CanExpire: true, Expires: time.Now().Add(session)}, nil
		}))
		type step struct {
			after time.Duration
			down  bool
			ok    bool
			asked int
		}
		steps := []step{
			{0, false, true, 1},
			{session - early - time.Second, true, true, 1}, // Still fresh.
			{2 * time.Second, true, true, 2},               // Fails, goes on.
			{time.Second, true, true, 2},                   // Does not ask each time.
			{2 * time.Minute, true, true, 3},               // Asks again.
			{0, false, true, 3},
			{CallTimeout + time.Second, false, true, 4}, // Recovered: a new hour.
			{session - time.Second, true, false, 5},     // Too late to be safe.
			{time.Minute, true, false, 6},
		}
		var got []step
		for _, s := range steps {
			time.Sleep(s.after)
			down = s.down
			_, err := c.Retrieve(t.Context())
			got = append(got, step{s.after, s.down, err == nil, asked})
		}
		if diff := cmp.Diff(steps, got, cmp.AllowUnexported(step{})); diff != "" {
			t.Errorf("a session is good until its end, whether or not it can be replaced early\n-want, +got:\n%s", diff)
		}
	})
}

func TestLongTermKeysDoNotExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := cached("of source Secret", sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			asked++
			return sdk.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}, nil
		}))
		for range 3 {
			if _, err := c.Retrieve(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(24 * time.Hour)
		}
		if asked != 1 {
			t.Errorf("asked %d times, want once", asked)
		}
	})
}

func TestALineEndIsNoPartOfAToken(t *testing.T) {
	got, err := secretToken("a.b.c\n").GetIdentityToken()
	if err != nil || string(got) != "a.b.c" {
		t.Errorf("got %q and %v, want a.b.c: STS refuses a token with a line end", got, err)
	}
}
