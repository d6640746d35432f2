package devicemodel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// request is a command of the QEMU Machine Protocol (docs/interop/qmp-spec in QEMU's
// source).
type request struct {
	Execute string          `json:"execute"`
	ID      json.RawMessage `json:"id,omitempty"`
}

// response is the answer to one: a result or an error.
type response struct {
	Return any             `json:"return,omitempty"`
	Error  *problem        `json:"error,omitempty"`
	ID     json.RawMessage `json:"id,omitempty"`
}

// problem is why a command was not carried out.
type problem struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

// Classes of errors.
const (
	notFound = "CommandNotFound"
	generic  = "GenericError"
)

// negotiate is the first command of each connection.
const negotiate = "qmp_capabilities"

// object is a JSON object.
type object map[string]any

// version is that of the protocol's server. The toolstack reads it from the greeting, and takes
// ways that this release has.
var version = object{"qemu": object{"major": 7, "minor": 2, "micro": 0}, "package": "xsmbench"}

// monitor is the protocol's server.
type monitor struct {
	stopped bool
}

// converse greets and answers, until the other side ends it or cannot be understood.
func (m *monitor) converse(conn io.ReadWriter) error {
	greeting := object{"QMP": object{"version": version, "capabilities": []string{}}}
	if err := send(conn, greeting); err != nil {
		return err
	}
	requests := json.NewDecoder(conn)
	for negotiated := false; ; {
		var r request
		err := requests.Decode(&r)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return errors.Join(err, send(conn, response{Error: &problem{generic, fmt.Sprintf("not a command: %v", err)}}))
		}
		answer := m.answer(r.Execute, negotiated)
		answer.ID = r.ID
		negotiated = negotiated || r.Execute == negotiate
		if err := send(conn, answer); err != nil {
			return err
		}
	}
}

// answer carries out a command. What asks for a device is not known: there is none.
func (m *monitor) answer(command string, negotiated bool) response {
	if negotiated == (command == negotiate) {
		return response{Error: &problem{notFound, fmt.Sprintf("%s is the first command, and no other", negotiate)}}
	}
	switch command {
	case negotiate:
	case "query-status":
		return response{Return: m.status()}
	case "query-version":
		return response{Return: version}
	case "query-chardev":
		return response{Return: []object{}}
	case "query-vnc":
		return response{Return: object{"enabled": false}}
	case "stop", "cont":
		m.stopped = command == "stop"
	default:
		return response{Error: &problem{notFound, fmt.Sprintf("The command %s has not been found", command)}}
	}
	return response{Return: object{}}
}

func (m *monitor) status() object {
	name := Running
	if m.stopped {
		name = "paused"
	}
	return object{"running": !m.stopped, "status": name}
}

// send writes a message, which ends with CR and LF: the toolstack waits for both.
func send(w io.Writer, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	_, err = w.Write(append(text, '\r', '\n'))
	return err
}
