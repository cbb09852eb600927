'use strict';
// An SMSC on npm `smpp`, a stack that is not ours, told what to do by the tests.
//
//   node smsc.js '{"bind":{"password":"secret"},"rules":[{"to":"8501921112222","id":"hex"}]}'
//
// It listens on a free port of 127.0.0.1 and speaks JSON, an object a line: orders come in on stdin, what happened goes
// out on stdout. It ends when stdin does. `--interactive` prints the same for a person and needs no orders.
//
// Rules say what a submit_sm meets; the first that fits its destination is taken ("*" fits all):
//   to, times (then the rule is used up), status ("ESME_RTHROTTLED"), delay_ms, hold (until "release"), silent,
//   id: "decimal" | "hex" | "empty" | "not_implemented" | any other text is the id itself,
//   receipt: true | { form: "text" | "tlv" | "both" | "reference", id: "same" | "hex" | "decimal" | text,
//     state: 2, stat: "DELIVRD", err: "000", date: "2611221405" | "YYMMDDhhmm", before: true, after_ms, copies: 2,
//     reversed: true, service_type, payload: true, unasked: true },
//   cut: { at, ms, then: "rest" | "close" }   of the answer, after so many octets
//   glue: true                                answer and receipt leave in one write
// Orders: rules, deliver, raw, release, unbind, close, reset, enquire_link, alert, enquire ("answer" | "silent"), stats.

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const STATES = { DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8, ENROUTE: 1 };
const ESM_CLASS_RECEIPT = 0x04;

const options = JSON.parse(process.argv[2] && process.argv[2].startsWith('{') ? process.argv[2] : '{}');
const interactive = process.argv.includes('--interactive');
let rules = options.rules || (interactive ? [{ to: '*', receipt: true }] : []);
let enquire = options.enquire || 'answer';
let ids = 1000000;
const held = [];
const sessions = [];
const stats = { binds: 0, submits: 0, in_flight: 0, in_flight_max: 0, enquire_links: 0, errors: 0 };

smpp.addTLV('vendor_test', { id: 0x1400, type: smpp.tlvs.its_session_info.type });

function say(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

function hex(buffer) {
  return Buffer.from(buffer).toString('hex');
}

// One writer a session: while a PDU is cut in two, nothing else may come in between.
function write(session, pieces) {
  session.pieces.push(...pieces);
  if (!session.writing) next(session);
}

function next(session) {
  const piece = session.pieces.shift();
  session.writing = piece !== undefined;
  if (!piece) return;
  if (piece.close) return session.destroy();
  if (!session.socket.writable) return;
  session.socket.write(piece.octets, () => setTimeout(() => next(session), piece.pause_ms || 0));
}

function cut(octets, how) {
  if (!how) return [{ octets }];
  const first = { octets: octets.subarray(0, how.at), pause_ms: how.ms || 50 };
  return how.then === 'close' ? [first, { close: true }] : [first, { octets: octets.subarray(how.at) }];
}

function request(session, command, fields, tag) {
  const pdu = new smpp.PDU(command, fields);
  session.sequence += 1;
  pdu.sequence_number = session.sequence;
  session.asked.set(pdu.sequence_number, { command, tag });
  return pdu.toBuffer();
}

function text(message) {
  return message === undefined ? '' : typeof message === 'string' ? message : message.message;
}

// The TLVs that npm smpp found, in the order in which they stood.
function tlvs(pdu) {
  const found = [];
  for (const key of Object.keys(pdu)) {
    const known = key in smpp.tlvs;
    if (!known && !/^\d+$/.test(key)) continue;
    const value = pdu[key];
    if (key === 'message_payload') found.push([key, text(value)]);
    else found.push([known ? key : '0x' + Number(key).toString(16), Buffer.isBuffer(value) ? hex(value) : value]);
  }
  return found;
}

function fields(asked) {
  const out = Object.assign({}, asked.fields);
  if (asked.octets !== undefined) out.short_message = Buffer.from(asked.octets, 'hex');
  for (const [name, value] of asked.tlvs || []) {
    const octets = ['its_session_info', 'vendor_test', 'network_error_code'].includes(name);
    out[name] = octets ? Buffer.from(value, 'hex') : value;
  }
  return out;
}

function messageId(kind, number) {
  switch (kind || 'decimal') {
    case 'decimal': return String(number);
    case 'hex': return number.toString(16).toUpperCase();
    case 'empty': return '';
    case 'not_implemented': return 'msg_id_not_implemented';
    default: return kind;
  }
}

function receipt(pdu, how, number, answered) {
  const form = how.form || 'both';
  const stat = how.stat || 'DELIVRD';
  const id = !how.id || how.id === 'same' ? answered : messageId(how.id, number);
  const date = how.date || '2611221405';
  const line = `id:${id} sub:001 dlvrd:001 submit date:${date} done date:${date} stat:${stat} err:${how.err || '000'} text:`;
  let parameters = [];
  if (form === 'tlv' || form === 'both') {
    parameters = [['receipted_message_id', id], ['message_state', how.state || STATES[stat]], ['network_error_code', '030000']];
  }
  if (form === 'reference') parameters = [['message_state', how.state || STATES[stat]]];
  if (pdu.user_message_reference !== undefined && form !== 'text') {
    parameters.push(['user_message_reference', pdu.user_message_reference & 0xff]);
  }
  if (how.vendor) parameters.unshift(['vendor_test', 'c0ffee']);
  if (how.reversed) parameters.reverse();
  const body = form === 'tlv' || form === 'reference' ? '' : line;
  if (how.payload) parameters.push(['message_payload', body]);
  return fields({
    fields: {
      service_type: how.service_type || '',
      source_addr_ton: pdu.dest_addr_ton,
      source_addr_npi: pdu.dest_addr_npi,
      source_addr: pdu.destination_addr,
      dest_addr_ton: pdu.source_addr_ton,
      dest_addr_npi: pdu.source_addr_npi,
      destination_addr: pdu.source_addr,
      esm_class: ESM_CLASS_RECEIPT,
      short_message: how.payload ? '' : body,
    },
    tlvs: parameters,
  });
}

function rule(destination) {
  const found = rules.find((one) => (one.to === undefined || one.to === '*' || one.to === destination) && one.times !== 0);
  if (found && found.times !== undefined) found.times -= 1;
  return found || {};
}

function submitted(session, pdu) {
  stats.submits += 1;
  stats.in_flight += 1;
  stats.in_flight_max = Math.max(stats.in_flight_max, stats.in_flight);
  say({
    event: 'submit', session: session.number, sequence: pdu.sequence_number,
    from: pdu.source_addr, from_ton: pdu.source_addr_ton, from_npi: pdu.source_addr_npi,
    to: pdu.destination_addr, to_ton: pdu.dest_addr_ton, to_npi: pdu.dest_addr_npi,
    service_type: pdu.service_type, esm_class: pdu.esm_class, data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery, text: text(pdu.short_message), tlvs: tlvs(pdu),
    validity_ms: pdu.validity_period instanceof Date ? pdu.validity_period.getTime() : null,
    in_flight: stats.in_flight,
  });
  const how = rule(pdu.destination_addr);
  const answer = () => answerSubmit(session, pdu, how);
  if (how.hold) held.push(answer);
  else if (how.delay_ms) setTimeout(answer, how.delay_ms);
  else answer();
}

function answerSubmit(session, pdu, how) {
  stats.in_flight -= 1;
  if (how.silent) return;
  const number = ids++;
  const id = messageId(how.id, number);
  const body = how.status ? { command_status: smpp.errors[how.status] } : { message_id: id };
  const response = cut(pdu.response(body).toBuffer(), how.cut);
  const wanted = how.receipt && !how.status && ((pdu.registered_delivery & 3) !== 0 || how.receipt.unasked);
  if (!wanted) return write(session, response);
  const told = how.receipt === true ? {} : how.receipt;
  const one = () => request(session, 'deliver_sm', receipt(pdu, told, number, id), 'receipt');
  const copies = () => Array.from({ length: told.copies || 1 }, () => ({ octets: one() }));
  if (how.glue) return write(session, [{ octets: Buffer.concat([response[0].octets, ...copies().map((copy) => copy.octets)]) }]);
  if (told.before) return write(session, [...copies(), ...response]);
  write(session, response);
  setTimeout(() => write(session, copies()), told.after_ms || 0);
}

function bound(session, pdu) {
  const wanted = options.bind || {};
  let status = wanted.status && wanted.times !== 0 ? wanted.status : null;
  if (status && wanted.times !== undefined) wanted.times -= 1;
  if (!status && wanted.system_id !== undefined && wanted.system_id !== pdu.system_id) status = 'ESME_RINVSYSID';
  if (!status && wanted.password !== undefined && wanted.password !== pdu.password) status = 'ESME_RINVPASWD';
  stats.binds += 1;
  say({
    event: 'bind', session: session.number, mode: pdu.command, system_id: pdu.system_id, system_type: pdu.system_type,
    interface_version: pdu.interface_version, refused: status,
  });
  if (wanted.silent) return;
  const body = status ? { command_status: smpp.errors[status] } : { system_id: wanted.answer_as || 'npm-smpp' };
  if (!status && wanted.interface_version) body.sc_interface_version = wanted.interface_version;
  session.bound = !status;
  write(session, cut(pdu.response(body).toBuffer(), wanted.cut));
}

function answered(session, pdu) {
  const asked = session.asked.get(pdu.sequence_number);
  session.asked.delete(pdu.sequence_number);
  say({
    event: 'answer', session: session.number, command: pdu.command, status: pdu.command_status,
    tag: asked && asked.tag, unasked: !asked, tlvs: tlvs(pdu),
  });
}

function serve(session) {
  session.number = sessions.push(session) - 1;
  Object.assign(session, { pieces: [], writing: false, asked: new Map(), bound: false });
  session.socket.setNoDelay(true);
  const here = session.socket.remotePort;
  say({ event: 'connected', session: session.number, peer: here });
  session.on('error', (error) => {
    stats.errors += 1;
    say({ event: 'error', session: session.number, message: String(error.message || error), code: error.code || null });
    session.destroy();
  });
  session.on('close', () => say({ event: 'closed', session: session.number }));
  session.on('pdu', (pdu) => {
    if (/^bind_/.test(pdu.command) && !pdu.isResponse()) return bound(session, pdu);
    if (pdu.isResponse() || pdu.command === 'generic_nack') return answered(session, pdu);
    switch (pdu.command) {
      case 'submit_sm':
      case 'data_sm':
        return submitted(session, pdu);
      case 'enquire_link':
        stats.enquire_links += 1;
        say({ event: 'enquire_link', session: session.number });
        if (enquire === 'answer') write(session, [{ octets: pdu.response().toBuffer() }]);
        return undefined;
      case 'unbind':
        say({ event: 'unbind', session: session.number });
        return write(session, [{ octets: pdu.response().toBuffer(), pause_ms: 20 }, { close: true }]);
      default:
        say({ event: 'unexpected', session: session.number, command: pdu.command });
        return write(session, [{ octets: pdu.response().toBuffer() }]);
    }
  });
}

// The PDU that an order asks for; several `pdus` leave in one write.
function ordered(session, order) {
  const one = (each) => request(session, each.command || 'deliver_sm', fields(each), each.tag);
  const octets = order.pdus ? Buffer.concat(order.pdus.map(one)) : one(order);
  write(session, cut(octets, order.cut));
}

function obey(order) {
  const session = order.session !== undefined ? sessions[order.session] : sessions.filter((one) => one.bound).pop();
  switch (order.do) {
    case 'rules': rules = order.rules; break;
    case 'bind': options.bind = order.bind; break;
    case 'enquire': enquire = order.how; break;
    case 'stats': say(Object.assign({ event: 'stats' }, stats)); return;
    case 'release': held.splice(0).forEach((answer) => answer()); break;
    case 'deliver': ordered(session, order); break;
    case 'raw': write(session, cut(Buffer.from(order.hex, 'hex'), order.cut)); break;
    case 'enquire_link': ordered(session, { command: 'enquire_link', tag: order.tag }); break;
    case 'unbind': ordered(session, { command: 'unbind', tag: order.tag }); break;
    case 'alert':
      ordered(session, {
        command: 'alert_notification',
        fields: { source_addr: order.source_addr, esme_addr: order.esme_addr, ms_availability_status: 0 },
      });
      break;
    case 'close': session.close(); break;
    case 'reset': session.socket.resetAndDestroy(); break;
    default: throw new Error(`no such order: ${order.do}`);
  }
  say({ event: 'done', do: order.do });
}

const tls = options.tls ? { key: fs.readFileSync(options.tls.key), cert: fs.readFileSync(options.tls.cert) } : {};
const server = smpp.createServer(tls, serve);
server.on('tlsClientError', (error) => say({ event: 'tls_error', code: error.code || null, message: String(error.message) }));
server.listen(options.port || (interactive ? 2775 : 0), '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));

if (!interactive) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => obey(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}
