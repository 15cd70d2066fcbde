package rehearsal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"nats-roll/cluster"
)

// Schema names the form of an event log: JSON lines, the first one a Header.
// Logs of earlier forms are read, too; see migrations.
const (
	Schema = schemaName + "2"

	schemaName = "nats-roll/events/"
	schemaNow  = 2
	shortened  = 2 // the first form that leaves out what is as it was
)

// SchemaError says that a log has a form which this program does not know.
type SchemaError struct{ Header Header }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the event log has the form %s and was written by nats-roll %s; the newest form known here is %s", e.Header.Schema, e.Header.Tool, Schema)
}

// Advice is what to do about it.
func (e *SchemaError) Advice() string {
	return fmt.Sprintf("use nats-roll %s or a later one", e.Header.Tool)
}

// number is that of the header's schema.
func (h Header) number() (int, error) {
	name, ok := strings.CutPrefix(h.Schema, schemaName)
	n, err := strconv.Atoi(name)
	switch {
	case !ok || err != nil || n < 1:
		return 0, fmt.Errorf("not an event log of nats-roll: the first line does not say %sN", schemaName)
	case n > schemaNow:
		return 0, &SchemaError{h}
	}
	return n, nil
}

type object = map[string]json.RawMessage

// migrations change the data of an event, by its kind, from the form with this
// number to the next one.
var migrations = map[int]map[string]func(object) error{
	1: {"planned": within("outline", adviceIsAList), "fleet": each("changed", clientHasARole)},
}

// migrate brings an event's data from an older form to today's.
func migrate(from int, kind string, data json.RawMessage) (json.RawMessage, error) {
	for ; from < schemaNow; from++ {
		change, ok := migrations[from][kind]
		if !ok {
			continue
		}
		var o object
		if err := json.Unmarshal(data, &o); err != nil {
			return nil, err
		}
		if err := change(o); err != nil {
			return nil, err
		}
		data, _ = json.Marshal(o) // what was just read can be written
	}
	return data, nil
}

// within changes an object that is a field of another.
func within(field string, change func(object) error) func(object) error {
	return func(o object) error {
		var inner object
		if err := json.Unmarshal(o[field], &inner); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if err := change(inner); err != nil {
			return err
		}
		o[field], _ = json.Marshal(inner)
		return nil
	}
}

// each changes every object of a list that is a field of another, if there is one.
func each(field string, change func(object) error) func(object) error {
	return func(o object) error {
		list, ok := o[field]
		if !ok {
			return nil
		}
		var all []object
		if err := json.Unmarshal(list, &all); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		for _, inner := range all {
			if err := change(inner); err != nil {
				return err
			}
		}
		o[field], _ = json.Marshal(all)
		return nil
	}
}

// clientHasARole: there was one publisher, the tutorial's subscriber, and others.
func clientHasARole(o object) error {
	role := cluster.RoleSubscriber
	switch {
	case string(o["publish"]) == "true":
		role = cluster.RolePublisher
	case string(o["subject"]) == `">"` || string(o["subject"]) == `"\u003e"`:
		role = cluster.RoleTutorial
	}
	o["role"], _ = json.Marshal(role)
	return nil
}

// adviceIsAList: since servers may have builds of their own, there is advice on
// several steps.
func adviceIsAList(o object) error {
	if one, ok := o["advice"]; ok {
		o["advice"] = json.RawMessage("[" + string(one) + "]")
	}
	return nil
}
