package awssim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxBody is more than any call needs; AWS's own limit is 1 MiB.
const maxBody = 1 << 20

// ServeHTTP answers one call. A call whose answer a fault loses ends with
// http.ErrAbortHandler, which makes a server cut the connection.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	c, record := s.arrive(r, body)
	out, err := s.answer(r, body, c, record)
	if errors.Is(err, errGone) {
		panic(http.ErrAbortHandler)
	}
	var refusal *apiError
	errors.As(err, &refusal)
	if c.lost {
		panic(http.ErrAbortHandler)
	}
	s.finish(record, refusal)
	write(w, c, record.RequestID, out, refusal)
}

// arrive reads what is asked for and puts it on the list of calls.
func (s *Sim) arrive(r *http.Request, body []byte) (*call, *Call) {
	// A body that is no form has no Action, and is refused for that.
	form, _ := url.ParseQuery(string(body))
	c := &call{sim: s, action: form.Get("Action"), form: form}
	c.service, c.region = scope(r, form.Get("Version"))

	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.unique(32)
	record := &Call{
		At:             s.clock.Now(),
		Service:        c.service,
		Action:         c.action,
		Region:         c.region,
		TargetGroupARN: form.Get("TargetGroupArn"),

		LoadBalancerARN: form.Get("LoadBalancerArn"),
		ListenerARN:     form.Get("ListenerArn"),
		GroupID:         form.Get("GroupId"),
		Resources:       resources(form),

		RequestID: id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:],
		UserAgent: r.UserAgent(),
		Params:    url.Values{},
	}
	for k, v := range form {
		if k != "Action" && k != "Version" {
			record.Params[k] = v
		}
	}
	s.calls = append(s.calls, record)
	return c, record
}

// answer takes a call through the gates that every call passes, in AWS's order
// as far as it shows (who, what, how often, may they), and lets it take effect.
func (s *Sim) answer(r *http.Request, body []byte, c *call, record *Call) (any, error) {
	a, err := s.lookup(r, c)
	if err != nil {
		return nil, err
	}
	delete(c.form, "Action")
	delete(c.form, "Version")
	if !a.unsigned {
		if c.who, err = s.authenticate(r, body, c); err != nil {
			return nil, err
		}
	}
	arrived := s.identified(record, c.who.account)
	if s.opts.OnCall != nil {
		s.opts.OnCall(arrived)
	}
	if err := s.wait(r.Context(), s.opts.Latency); err != nil {
		return nil, err
	}
	if err := s.take(c, a); err != nil {
		return nil, err
	}
	if err := s.suffer(r.Context(), c); err != nil {
		return nil, err
	}
	now, unlock := s.lock()
	defer unlock()
	return s.execute(c, now)
}

func (s *Sim) lookup(r *http.Request, c *call) (action, error) {
	version := c.form.Get("Version")
	if r.Method != http.MethodPost || r.URL.Path != "/" || c.action == "" {
		return action{}, refuse("MissingAction", "The request is missing an action or a required parameter.")
	}
	a, ok := actions[c.service][c.action]
	if !ok || versions[c.service] != version {
		return action{}, refuse("InvalidAction", "Could not find operation %s for version %s", c.action, version)
	}
	return a, nil
}

func (s *Sim) identified(record *Call, account string) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	record.Account = account
	return *record
}

func (s *Sim) finish(record *Call, refusal *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record.Status = http.StatusOK
	if refusal != nil {
		record.Status, record.Code = refusal.status, refusal.code
	}
}

var namespaces = map[string]string{
	ServiceELBv2: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
	ServiceEC2:   "http://ec2.amazonaws.com/doc/2016-11-15/",
	ServiceSTS:   "https://sts.amazonaws.com/doc/2011-06-15/",
}

func write(w http.ResponseWriter, c *call, id string, out any, refusal *apiError) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	if refusal != nil {
		w.WriteHeader(refusal.status)
		_, _ = w.Write(refusalXML(c, id, refusal))
		return
	}
	_, _ = w.Write(resultXML(c, id, out))
}

// resultXML is the document of facts/aws.md §1.12: EC2 has no Result element.
func resultXML(c *call, id string, out any) []byte {
	var b bytes.Buffer
	if c.service == ServiceEC2 {
		encode(&b, c.action+"Response", out)
		root := []byte("<" + c.action + "Response>")
		return bytes.Replace(b.Bytes(), root,
			[]byte("<"+c.action+`Response xmlns="`+namespaces[c.service]+`"><requestId>`+id+"</requestId>"), 1)
	}
	b.WriteString(`<` + c.action + `Response xmlns="` + namespaces[c.service] + `">`)
	encode(&b, c.action+"Result", out)
	b.WriteString("<ResponseMetadata><RequestId>" + id + "</RequestId></ResponseMetadata>")
	b.WriteString(`</` + c.action + `Response>`)
	return b.Bytes()
}

// empty is a result without content.
type empty struct{}

// encode writes a result, our own structure of texts and numbers, as an element.
func encode(b *bytes.Buffer, name string, v any) {
	if err := xml.NewEncoder(b).EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
		panic("awssim: cannot encode a result: " + err.Error())
	}
}

func refusalXML(c *call, id string, refusal *apiError) []byte {
	type detail struct {
		Type    string `xml:",omitempty"`
		Code    string
		Message string
	}
	d := detail{Type: "Sender", Code: refusal.code, Message: refusal.message}
	if refusal.status >= http.StatusInternalServerError {
		d.Type = "Receiver"
	}
	var b bytes.Buffer
	if c.service == ServiceEC2 {
		d.Type = ""
		b.WriteString("<Response><Errors>")
		encode(&b, "Error", d)
		b.WriteString("</Errors><RequestID>" + id + "</RequestID></Response>")
		return b.Bytes()
	}
	b.WriteString(`<ErrorResponse xmlns="` + namespaces[c.service] + `">`)
	encode(&b, "Error", d)
	b.WriteString("<RequestId>" + id + "</RequestId></ErrorResponse>")
	return b.Bytes()
}

// members is a list in a result. An empty one is an empty element, as AWS has it.
type members[T any] struct {
	Member []T `xml:"member"`
}

// set is a list in a result of EC2.
type set[T any] struct {
	Item []T `xml:"item"`
}

// timestamp is how AWS writes a time.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
