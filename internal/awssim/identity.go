package awssim

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DefaultAccount is the account of DefaultKey.
const DefaultAccount = "123456789012"

// DefaultKey is known to every Sim; its values are those of AWS's examples.
var DefaultKey = AccessKey{
	Account: DefaultAccount,
	ID:      "AKIAIOSFODNN7EXAMPLE",
	Secret:  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	User:    "default",
}

// AccessKey is a long-term key of a user.
type AccessKey struct {
	// Account it belongs to, 12 digits.
	Account string
	// ID and Secret are what a client is given.
	ID, Secret string
	// User is the name in the caller's ARN.
	User string
}

// Role can be assumed.
type Role struct {
	// ARN of the role: arn:aws:iam::ACCOUNT:role/NAME.
	ARN string
	// ExternalID that the caller must name; empty if none is needed.
	ExternalID string
	// Trusted are the ARNs or account ids that may assume it with AssumeRole;
	// empty means everybody.
	Trusted []string
	// Subject is the "sub" of the web identity tokens that may assume it with
	// AssumeRoleWithWebIdentity; empty means that none may. A token's signature
	// is not verified.
	Subject string
}

// identity is who makes a call.
type identity struct{ account, arn, userID string }

type key struct {
	AccessKey

	identity identity
	// session is the token of a temporary key, and expires when it ends.
	session string
	expires time.Time
}

// AddKey makes an access key known, or replaces the one with the same id.
func (s *Sim) AddKey(k AccessKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ID] = &key{AccessKey: k, identity: identity{
		account: k.Account,
		arn:     "arn:aws:iam::" + k.Account + ":user/" + k.User,
		userID:  "AIDA" + strings.ToUpper(hash([]byte(k.Account + k.User)))[:17],
	}}
}

// RemoveKey makes an access key unknown, as when its user deletes it.
func (s *Sim) RemoveKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, id)
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)

// SeedRole makes a role that can be assumed, or replaces the one with its ARN.
// It panics if the ARN is not one of a role.
func (s *Sim) SeedRole(r Role) {
	if !roleARN.MatchString(r.ARN) {
		panic("awssim: not the ARN of a role: " + r.ARN)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ARN] = r
}

// STS API: https://docs.aws.amazon.com/STS/latest/APIReference/
func identityActions() map[string]action {
	session := shape{min: 2, max: 64, pattern: regexp.MustCompile(`^[\w+=,.@-]*$`)}
	return map[string]action{
		"GetCallerIdentity": {run: getCallerIdentity},
		"AssumeRole": {
			params: map[string]shape{
				"RoleArn": textOf(20, 2048), "RoleSessionName": session,
				"DurationSeconds": number(900, 43200), "ExternalId": textOf(2, 1224),
				"Tags.member.N.Key": textOf(1, 128), "Tags.member.N.Value": textOf(0, 256),
				"TransitiveTagKeys.member.N": textOf(1, 128),
				"SourceIdentity":             textOf(2, 64), "Policy": textOf(1, 0),
				"PolicyArns.member.N.arn": textOf(20, 2048),
			},
			required: []string{"RoleArn", "RoleSessionName"},
			run:      assumeRole,
		},
		"AssumeRoleWithWebIdentity": {
			unsigned: true,
			params: map[string]shape{
				"RoleArn": textOf(20, 2048), "RoleSessionName": session,
				"DurationSeconds": number(900, 43200), "WebIdentityToken": textOf(4, 20000),
				"ProviderId": textOf(4, 2048), "Policy": textOf(1, 0),
				"PolicyArns.member.N.arn": textOf(20, 2048),
			},
			required: []string{"RoleArn", "RoleSessionName", "WebIdentityToken"},
			run:      assumeRoleWithWebIdentity,
		},
	}
}

func getCallerIdentity(c *call) (any, error) {
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{c.who.arn, c.who.userID, c.who.account}, nil
}

// grant is what both AssumeRole actions return.
type grant struct {
	Credentials struct {
		KeyID                                     string `xml:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	AssumedRoleUser struct {
		RoleID string `xml:"AssumedRoleId"`
		Arn    string
	}
	SubjectFromWebIdentityToken string `xml:",omitempty"`
}

// maxChained is how long a session lasts at most that a temporary key began.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const maxChained = 3600

func assumeRole(c *call) (any, error) {
	arn := c.str("RoleArn")
	role, known := c.sim.roles[arn]
	trusted := known && (len(role.Trusted) == 0 ||
		slices.Contains(role.Trusted, c.who.arn) || slices.Contains(role.Trusted, c.who.account))
	if !trusted || role.ExternalID != "" && role.ExternalID != c.str("ExternalId") {
		return nil, forbidden("AccessDenied",
			"User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.who.arn, arn)
	}
	seconds := c.num("DurationSeconds", maxChained)
	if strings.Contains(c.who.arn, ":assumed-role/") && seconds > maxChained {
		return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	return c.newSession(role, seconds), nil
}

func assumeRoleWithWebIdentity(c *call) (any, error) {
	arn := c.str("RoleArn")
	subject, expires, ok := readToken(c.str("WebIdentityToken"))
	switch role, known := c.sim.roles[arn]; {
	case !ok:
		return nil, refuse("InvalidIdentityToken", "The web identity token that was passed could not be validated by AWS.")
	case !expires.IsZero() && !c.now.Before(expires):
		return nil, refuse("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
	case !known || role.Subject == "" || role.Subject != subject:
		return nil, forbidden("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	default:
		out := c.newSession(role, c.num("DurationSeconds", maxChained))
		out.SubjectFromWebIdentityToken = subject
		return out, nil
	}
}

// readToken reads the subject and expiry of a JSON Web Token.
func readToken(token string) (subject string, expires time.Time, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", time.Time{}, false
	}
	var claims struct {
		Sub string  `json:"sub"`
		Exp float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Sub == "" {
		return "", time.Time{}, false
	}
	if claims.Exp > 0 {
		expires = time.Unix(int64(claims.Exp), 0)
	}
	return claims.Sub, expires, true
}

// newSession makes a temporary key for a role.
func (c *call) newSession(role Role, seconds int) grant {
	parts := strings.Split(role.ARN, ":")
	account := parts[4]
	name := role.ARN[strings.LastIndex(role.ARN, "/")+1:]
	id := strings.ToUpper(c.sim.unique(64))
	k := &key{
		AccessKey: AccessKey{Account: account, ID: "ASIA" + id[:16], Secret: id[16:56]},
		session:   "IQoJb3JpZ2luX2Vj" + id,
		expires:   c.now.Add(time.Duration(seconds) * time.Second),
	}
	roleID := "AROA" + strings.ToUpper(hash([]byte(role.ARN)))[:17] + ":" + c.str("RoleSessionName")
	k.identity = identity{
		account: account,
		arn:     "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + c.str("RoleSessionName"),
		userID:  roleID,
	}
	c.sim.keys[k.ID] = k
	var out grant
	out.Credentials.KeyID, out.Credentials.SecretAccessKey = k.ID, k.Secret
	out.Credentials.SessionToken, out.Credentials.Expiration = k.session, timestamp(k.expires)
	out.AssumedRoleUser.Arn, out.AssumedRoleUser.RoleID = k.identity.arn, roleID
	return out
}
