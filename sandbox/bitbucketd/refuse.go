package bitbucketd

import (
	"encoding/xml"
	"fmt"
	"net/http"
)

// refusal is an answer that is an error.
type refusal struct{ reply }

func (r *refusal) Error() string { return fmt.Sprintf("refused with %d", r.status) }

// The names of the core's exceptions.
const (
	authorisationException = "com.atlassian.bitbucket.AuthorisationException"
	badPasswordException   = "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException" // Doubt: seen in code only
	captchaException       = "com.atlassian.bitbucket.auth.CaptchaRequiredAuthenticationException"
	noSuchUserException    = "com.atlassian.bitbucket.user.NoSuchUserException"
	noSuchGroupException   = "com.atlassian.bitbucket.user.NoSuchGroupException"
	noSuchProjectException = "com.atlassian.bitbucket.project.NoSuchProjectException"
	noSuchRepoException    = "com.atlassian.bitbucket.repository.NoSuchRepositoryException"
	noSuchObjectException  = "com.atlassian.bitbucket.NoSuchObjectException"
	argumentException      = "com.atlassian.bitbucket.validation.ArgumentValidationException"
	integrityException     = "com.atlassian.bitbucket.IntegrityException"
	forbiddenException     = "com.atlassian.bitbucket.ForbiddenException"
	duplicateProject       = "com.atlassian.bitbucket.project.ProjectAlreadyExistsException"
	duplicateRepo          = "com.atlassian.bitbucket.repository.RepositoryAlreadyExistsException"
	duplicateUser          = "com.atlassian.bitbucket.user.UserAlreadyExistsException"
	duplicateSSHKey        = "com.atlassian.bitbucket.ssh.DuplicateSshKeyException" // Doubt: name not seen
	invalidSSHKey          = "com.atlassian.bitbucket.ssh.InvalidSshKeyException"   // Doubt: name not seen
	noSuchHook             = "com.atlassian.bitbucket.hook.repository.NoSuchRepositoryHookException"
	noSuchWebhook          = "com.atlassian.bitbucket.webhook.NoSuchWebhookException" // Doubt: name not seen
	notPermitted           = "You are not permitted to access this resource"
	authenticationFailed   = "Authentication failed. Please check your credentials and try again."
	basicChallenge         = `Basic realm="Atlassian Bitbucket"`
)

type coreMessage struct {
	Context       *string `json:"context"`
	Message       string  `json:"message"`
	ExceptionName *string `json:"exceptionName"`
}

type coreErrors struct {
	Errors []coreMessage `json:"errors"`
}

// coreError is an error of the core's resources: api, ssh, access-tokens.
func coreError(status int, context, exception, message string) reply {
	m := coreMessage{Message: message}
	if context != "" {
		m.Context = &context
	}
	if exception != "" {
		m.ExceptionName = &exception
	}
	return reply{status: status, body: coreErrors{Errors: []coreMessage{m}}}
}

func refuse(status int, exception, format string, args ...any) error {
	return &refusal{coreError(status, "", exception, fmt.Sprintf(format, args...))}
}

// refuseField is a 400 that names the field at fault.
func refuseField(field, format string, args ...any) error {
	return &refusal{coreError(http.StatusBadRequest, field, argumentException, fmt.Sprintf(format, args...))}
}

// forbid is Bitbucket's "forbidden", which is a 401.
func forbid() error { return refuse(http.StatusUnauthorized, authorisationException, notPermitted) }

// statusMessage is an error, or a confirmation, of Atlassian's common plugins.
type statusMessage struct {
	XMLName xml.Name  `json:"-" xml:"status"`
	Code    int       `json:"status-code" xml:"status-code"`
	Message string    `json:"message,omitempty" xml:"message,omitempty"`
	SubCode int       `json:"sub-code,omitempty" xml:"sub-code,omitempty"`
	Created resources `json:"resources-created,omitempty" xml:"resources-created,omitempty"`
	Updated resources `json:"resources-updated,omitempty" xml:"resources-updated,omitempty"`
}

// resources are an array in JSON, and an element with links in XML.
type resources []linkRef

// MarshalXML implements xml.Marshaler.
func (r resources) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Links []linkRef `xml:"link"`
	}{r}, start)
}

type linkRef struct {
	Href string `json:"href" xml:"href,attr"`
	Rel  string `json:"rel" xml:"rel,attr"`
}

func statusReply(m statusMessage) reply { return reply{status: m.Code, body: m, xml: true} }

func refuseStatus(status int, format string, args ...any) error {
	return &refusal{statusReply(statusMessage{Code: status, Message: fmt.Sprintf(format, args...)})}
}

// errorList is what application links answer to a bad entity.
type errorList struct {
	XMLName xml.Name `json:"-" xml:"errorList"`
	Status  int      `json:"status" xml:"status"`
	Message []string `json:"message" xml:"message"`
	Fields  []string `json:"fields,omitempty" xml:"fields,omitempty"`
}

func refuseList(format string, args ...any) error {
	const status = http.StatusBadRequest
	return &refusal{reply{status: status, xml: true, body: errorList{Status: status, Message: []string{fmt.Sprintf(format, args...)}}}}
}

func unknownPage(*call) (reply, error) {
	return reply{
		status: http.StatusNotFound, media: "text/html;charset=UTF-8",
		text: "<!DOCTYPE html><html><head><title>Not found</title></head><body><h1>You've found a dead link.</h1></body></html>\n",
	}, nil
}
