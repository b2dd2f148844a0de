package aws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The section and the keys of a credentials file.
const (
	iniSection         = "default"
	iniAccessKeyID     = "aws_access_key_id"
	iniSecretAccessKey = "aws_secret_access_key"
	iniSessionToken    = "aws_session_token"
)

// ParseCredentialsINI reads an access key from the content of a Secret in the
// format of AWS's credentials file, as other AWS providers take it:
//
//	[default]
//	aws_access_key_id = AKIA…
//	aws_secret_access_key = …
//	aws_session_token = …
//
// Other sections and keys are ignored; whole lines that begin with # or ; are
// comments. Values are taken as they are, without quotes or continuation, which
// no access key has. An error names the key or the line, never a value.
//
// The SDK can only read such a file from disk, where a Secret must not go.
func ParseCredentialsINI(content []byte) (StaticCredentials, error) {
	values, err := defaultSection(content)
	if err != nil {
		return StaticCredentials{}, err
	}
	if values == nil {
		return StaticCredentials{}, errors.New("section [default] is missing")
	}
	for _, key := range []string{iniAccessKeyID, iniSecretAccessKey} {
		if values[key] == "" {
			return StaticCredentials{}, fmt.Errorf("%s is missing in section [default]", key)
		}
	}
	return StaticCredentials{
		AccessKeyID:     values[iniAccessKeyID],
		SecretAccessKey: values[iniSecretAccessKey],
		SessionToken:    values[iniSessionToken],
	}, nil
}

// defaultSection returns the values of [default], or nil if there is none.
func defaultSection(content []byte) (map[string]string, error) {
	var values map[string]string
	section, number := "", 0
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case line[0] == '[':
			name, _, closed := strings.Cut(line[1:], "]")
			if !closed {
				return nil, fmt.Errorf("line %d: a section has no closing bracket", number)
			}
			section = strings.TrimSpace(name)
			if section == iniSection && values == nil {
				values = map[string]string{}
			}
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("line %d is neither a section nor key = value", number)
		}
		if section == iniSection {
			values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d cannot be read: %w", number+1, err)
	}
	return values, nil
}
