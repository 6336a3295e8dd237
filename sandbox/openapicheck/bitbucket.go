package openapicheck

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed bitbucket-9.4.openapi.json.gz
var bitbucket94 []byte

// Bitbucket returns the document of Bitbucket Data Center 9.4.
func Bitbucket() (*Document, error) {
	zip, err := gzip.NewReader(bytes.NewReader(bitbucket94))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(zip)
	if err != nil {
		return nil, err
	}
	return New(data, "/rest", BitbucketDefects())
}

// BitbucketDefects is the table of what is wrong in the document.
func BitbucketDefects() []Defect {
	const repo = "/api/latest/projects/{projectKey}/repos/{repositorySlug}"
	return []Defect{
		{"writeOnly links", "links, avatarUrl and others are marked writeOnly and are in every answer", func(doc *openapi3.T) error {
			return eachSchema(doc, func(s *openapi3.Schema) { s.WriteOnly = false })
		}},
		{"null context", "errors have context and exceptionName null; typed as string (recorded answers)", func(doc *openapi3.T) error {
			return nullable(doc, "RestErrorMessage", "context", "exceptionName")
		}},
		{"null configFormKey", "a hook without settings has configFormKey null", func(doc *openapi3.T) error {
			return nullable(doc, "RepositoryHookDetails", "configFormKey")
		}},
		{"createdDate of SSH keys", "typed date-time; milliseconds as an integer on the wire", func(doc *openapi3.T) error {
			return integer(doc, "RestSshKey", "createdDate")
		}},
		{"createdDate of tokens", "the same", func(doc *openapi3.T) error {
			if err := integer(doc, "RestRawAccessToken", "createdDate"); err != nil {
				return err
			}
			return integer(doc, "RestAccessToken", "createdDate")
		}},
		{"GET /users", "described as one user; it is a page", func(doc *openapi3.T) error {
			return page(doc, "/api/latest/users", "RestApplicationUser")
		}},
		{"webhook pages", "no schema for the page of webhooks", func(doc *openapi3.T) error {
			if err := page(doc, repo+"/webhooks", "RestWebhook"); err != nil {
				return err
			}
			return page(doc, repo+"/webhooks/search", "RestWebhook")
		}},
		{"webhook id", "id and dates are missing in the schema", func(doc *openapi3.T) error {
			s, err := schema(doc, "RestWebhook")
			if err != nil {
				return err
			}
			for _, name := range []string{"id", "createdDate", "updatedDate"} {
				s.Properties[name] = openapi3.NewSchemaRef("", openapi3.NewIntegerSchema())
				s.Required = append(s.Required, name)
			}
			return nil
		}},
		{"times of an invocation", "typed int32; milliseconds do not fit", func(doc *openapi3.T) error {
			if err := integer(doc, "RestDetailedInvocation", "start"); err != nil {
				return err
			}
			return integer(doc, "RestDetailedInvocation", "finish")
		}},
		{"webhook creation", "described with 200; servers answer 201", func(doc *openapi3.T) error {
			responses := doc.Paths.Find(repo + "/webhooks").Post.Responses
			responses.Set("201", responses.Value("200"))
			responses.Delete("200")
			return nil
		}},
		{"repository change", "described with 201 alone, which is for a move; fluxcd's client, made with a real server, takes 200 alone", func(doc *openapi3.T) error {
			responses := doc.Paths.Find(repo).Put.Responses
			responses.Set("200", responses.Value("201"))
			return nil
		}},
		{"hook settings of none", "a hook without settings has nothing to answer", func(doc *openapi3.T) error {
			doc.Paths.Find(repo+"/settings/hooks/{hookKey}/settings").Get.Responses.Set("204", &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription("")})
			return nil
		}},
		{"refusals of the framework", "bad JSON (400), credentials (401), XSRF (403), the unknown (404), a conflict (409), media (415) and rate (429) are not described everywhere", func(doc *openapi3.T) error {
			return frameworkRefusals(doc)
		}},
	}
}

func schema(doc *openapi3.T, name string) (*openapi3.Schema, error) {
	ref := doc.Components.Schemas[name]
	if ref == nil || ref.Value == nil {
		return nil, fmt.Errorf("no schema %s", name)
	}
	return ref.Value, nil
}

func property(doc *openapi3.T, name, field string) (*openapi3.Schema, error) {
	s, err := schema(doc, name)
	if err != nil {
		return nil, err
	}
	if ref := s.Properties[field]; ref != nil && ref.Value != nil {
		return ref.Value, nil
	}
	return nil, fmt.Errorf("no %s in %s", field, name)
}

func nullable(doc *openapi3.T, name string, fields ...string) error {
	for _, field := range fields {
		s, err := property(doc, name, field)
		if err != nil {
			return err
		}
		s.Nullable = true
	}
	return nil
}

func integer(doc *openapi3.T, name, field string) error {
	s, err := property(doc, name, field)
	if err != nil {
		return err
	}
	*s = *openapi3.NewIntegerSchema()
	return nil
}

// page gives the operation's 200 the schema of a page of what is named.
func page(doc *openapi3.T, path, of string) error {
	s := openapi3.NewObjectSchema().
		WithProperty("size", openapi3.NewIntegerSchema()).
		WithProperty("limit", openapi3.NewIntegerSchema()).
		WithProperty("start", openapi3.NewIntegerSchema()).
		WithProperty("isLastPage", openapi3.NewBoolSchema())
	list := openapi3.NewArraySchema()
	list.Items = openapi3.NewSchemaRef("#/components/schemas/"+of, doc.Components.Schemas[of].Value)
	s.WithProperty("values", list)
	s.Required = []string{"size", "limit", "start", "isLastPage", "values"}
	ok := doc.Paths.Find(path).Get.Responses.Value("200")
	if ok == nil {
		return fmt.Errorf("GET %s has no 200", path)
	}
	ok.Value.Content = openapi3.NewContentWithJSONSchema(s)
	return nil
}

// frameworkRefusals adds what every resource can answer before it is asked.
func frameworkRefusals(doc *openapi3.T) error {
	message, err := schema(doc, "RestErrorMessage")
	if err != nil {
		return err
	}
	message.Required = []string{"message"}
	list := openapi3.NewArraySchema().WithItems(message)
	list.MinItems = 1
	errs := openapi3.NewObjectSchema().WithProperty("errors", list)
	errs.Required = []string{"errors"}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, status := range []int{
				http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
				http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusTooManyRequests,
			} {
				text := strconv.Itoa(status)
				content := openapi3.NewContentWithJSONSchema(errs)
				if status == http.StatusForbidden { // XSRF, and Basic credentials that are switched off
					content = openapi3.Content{"text/html": openapi3.NewMediaType(), "application/json": openapi3.NewMediaType()}
				}
				if status == http.StatusUnauthorized { // a signed call that is refused
					content["text/plain"] = openapi3.NewMediaType()
				}
				op.Responses.Set(text, &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription("").WithContent(content)})
			}
		}
	}
	return nil
}

// eachSchema visits all schemas, also those inside of operations.
func eachSchema(doc *openapi3.T, visit func(*openapi3.Schema)) error {
	seen := map[*openapi3.Schema]bool{}
	var walk func(*openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		seen[ref.Value] = true
		visit(ref.Value)
		for _, p := range ref.Value.Properties {
			walk(p)
		}
		walk(ref.Value.Items)
	}
	for _, ref := range doc.Components.Schemas {
		walk(ref)
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, resp := range op.Responses.Map() {
				for media, content := range resp.Value.Content {
					if strings.Contains(media, "json") {
						walk(content.Schema)
					}
				}
			}
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("no schemas")
	}
	return nil
}
