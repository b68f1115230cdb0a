#include "dns_exchange.h"

#include <string.h>

#define QUERY_MAX 512
#define TCP_PREFIX 2 /* RFC 1035 4.2.2 */
#define READ_PIECE 4096

#define RCODE_FORMERR 1
#define RCODE_NOTIMP 4
#define RCODE_BADVERS 16

static uint16_t question_class(const struct dns_question *q)
{
    return q->class != 0 ? q->class : DNS_CLASS_IN;
}

static const struct net_address *current_server(const struct dns_exchange *x)
{
    return &x->route->servers[x->server];
}

static bool is_tcp(const struct dns_exchange *x)
{
    return x->phase >= DNS_PHASE_CONNECT && x->phase <= DNS_PHASE_READ;
}

static void hang_up(struct dns_exchange *x)
{
    net_close(x->conn);
    x->conn = NULL;
    x->want = 0;
}

static void wait_for(struct dns_exchange *x, enum dns_phase phase, unsigned want)
{
    x->phase = phase;
    x->want = want;
}

/* Takes the answer over. */
static void finish(struct dns_exchange *x, const struct dns_answer *answer)
{
    hang_up(x);
    x->phase = DNS_PHASE_DONE;
    struct dns_answer *out = &x->question->answer;
    *out = *answer;
    if (out->final_name[0] == '\0') {
        str_copy(out->final_name, sizeof(out->final_name), x->canonical);
    }
    out->tries = x->tries;
    out->ignored = x->ignored;
    if (x->tries > 0) {
        out->elapsed_us = net_now_us(x->route->net) - x->started;
    }
}

static void finish_without_reply(struct dns_exchange *x, enum dns_result result)
{
    struct dns_answer answer;
    dns_answer_init(&answer);
    answer.result = result;
    finish(x, &answer);
}

/* When servers fail in different ways, the one that tells most about the fault is reported. */
static int how_telling(const struct dns_answer *answer)
{
    if (answer->truncated && answer->over_tcp) {
        return 7; /* there is an answer, and TCP does not bring it */
    }
    switch (answer->result) {
    case DNS_SERVFAIL:
        return answer->ede >= 0 ? 6 : 5;
    case DNS_MALFORMED:
        return 4;
    case DNS_OTHER_RCODE:
        return 3;
    case DNS_REFUSED:
        return 2;
    case DNS_TIMEOUT:
        return 1;
    default:
        return 0;
    }
}

static void next_server(struct dns_exchange *x)
{
    hang_up(x);
    x->edns = true;
    do {
        x->server++;
        if (x->server >= x->route->server_count) {
            x->server = 0;
            x->round++;
        }
        if (x->round >= x->route->rounds) {
            x->has_best = false;
            finish(x, &x->best);
            return;
        }
    } while (x->struck & UINT32_C(1) << x->server);
    x->phase = DNS_PHASE_START;
}

/* Takes the answer over. */
static void remember(struct dns_exchange *x, struct dns_answer *answer)
{
    answer->server = *current_server(x);
    answer->over_tcp = is_tcp(x);
    if (!x->has_best || how_telling(answer) > how_telling(&x->best)) {
        dns_answer_free(&x->best);
        x->best = *answer;
        x->has_best = true;
    } else {
        dns_answer_free(answer);
    }
}

/* This try brought no reply that can be used; on to the next server. */
static void fail_try(struct dns_exchange *x, enum dns_result result)
{
    struct dns_answer answer;
    dns_answer_init(&answer);
    answer.result = result;
    if (is_tcp(x)) {
        answer.truncated = true;
        answer.rcode = x->truncated_rcode;
    }
    /* TCP has repeated by itself what was lost, so its time-outs are final too. */
    if (result != DNS_TIMEOUT || is_tcp(x)) {
        x->struck |= UINT32_C(1) << x->server;
    }
    remember(x, &answer);
    next_server(x);
}

static void fail_transport(struct dns_exchange *x, enum status st)
{
    fail_try(x, st == ST_TIMEOUT ? DNS_TIMEOUT : DNS_UNREACHABLE);
}

void dns_exchange_init(struct dns_exchange *x, const struct dns_route *route,
                       struct dns_question *question)
{
    memset(x, 0, sizeof(*x));
    x->route = route;
    x->question = question;
    x->edns = true;
    buf_init(&x->query, QUERY_MAX);
    buf_init(&x->out, QUERY_MAX + TCP_PREFIX);
    buf_init(&x->in, DNS_MESSAGE_MAX + TCP_PREFIX);
    dns_answer_init(&x->best);
    if (dns_name_canonical(question->name, x->canonical) != ST_OK) {
        finish_without_reply(x, DNS_BAD_NAME);
    } else if (route->server_count == 0) {
        finish_without_reply(x, DNS_UNREACHABLE);
    }
}

/* A source address of the other family would only fail. */
static const struct net_address *source_towards(const struct dns_exchange *x)
{
    const struct net_address *source = &x->route->source;
    return source->family == current_server(x)->family ? source : NULL;
}

static void send_datagram(struct dns_exchange *x)
{
    size_t put;
    enum status st = x->conn->ops->write(x->conn, x->query.p, x->query.len, &put);
    if (st == ST_OK) {
        wait_for(x, DNS_PHASE_RECEIVE, NET_READ);
    } else if (st != ST_AGAIN) {
        fail_transport(x, st);
    }
}

static enum status make_query(struct dns_exchange *x)
{
    const struct dns_question *q = x->question;
    net_random(x->route->net, &x->id, sizeof(x->id));
    buf_clear(&x->query);
    enum status st =
        dns_msg_query(&x->query, x->id, q->name, q->type, question_class(q), q->checking_disabled);
    if (st == ST_OK && !x->edns) {
        dns_msg_drop_edns(&x->query);
    }
    return st;
}

enum status dns_exchange_start(struct dns_exchange *x, bool may_wait)
{
    struct network *net = x->route->net;
    while (x->phase == DNS_PHASE_START) {
        enum status st = make_query(x);
        if (st == ST_NOMEM) {
            return st;
        }
        if (st != ST_OK) {
            finish_without_reply(x, DNS_BAD_NAME);
            break;
        }
        int sys;
        st = net->ops->datagram(net, current_server(x), source_towards(x), &x->conn, &sys);
        if (st == ST_NOMEM || (st == ST_LIMIT && may_wait)) {
            return st;
        }
        int64_t now = net_now_us(net);
        if (x->tries == 0) {
            x->started = now;
        }
        x->tries++;
        x->ignored_in_try = 0;
        x->deadline = deadline_in_ms(now, x->route->timeout_ms);
        if (st != ST_OK) {
            fail_transport(x, st);
        } else {
            wait_for(x, DNS_PHASE_SEND, NET_WRITE);
            send_datagram(x);
        }
    }
    return ST_OK;
}

/* Fails only without memory; a network that fails ends the try. */
static enum status start_tcp(struct dns_exchange *x)
{
    hang_up(x);
    struct network *net = x->route->net;
    uint8_t prefix[TCP_PREFIX] = {(uint8_t)(x->query.len >> 8), (uint8_t)x->query.len};
    buf_clear(&x->out);
    buf_clear(&x->in);
    x->written = 0;
    enum status st = buf_add(&x->out, prefix, sizeof(prefix));
    if (st == ST_OK) {
        st = buf_add(&x->out, x->query.p, x->query.len);
    }
    if (st != ST_OK) {
        return ST_NOMEM;
    }
    int sys;
    wait_for(x, DNS_PHASE_CONNECT, NET_WRITE);
    x->tries++;
    x->deadline = deadline_in_ms(net_now_us(net), x->route->timeout_ms);
    st = net->ops->connect(net, current_server(x), source_towards(x), &x->conn, &sys);
    if (st != ST_OK && st != ST_NOMEM) {
        fail_transport(x, st);
        st = ST_OK;
    }
    return st;
}

/* The AD bit is worth as much as the way to who set it (RFC 6840 5.8, RFC 8499 "security-aware").
 */
static bool is_trusted(const struct dns_exchange *x)
{
    const struct dns_route *route = x->route;
    const struct net_address *server = current_server(x);
    if (route->trusted || route->net->demo || net_address_range(server) == RANGE_LOOPBACK) {
        return true;
    }
    struct net_address source;
    return route->net->ops->source_for(route->net, server, &source) == ST_OK &&
           net_address_same_host(&source, server);
}

static bool dislikes_edns(const struct dns_answer *answer)
{
    return answer->rcode == RCODE_FORMERR || answer->rcode == RCODE_NOTIMP ||
           answer->rcode == RCODE_BADVERS;
}

static bool settles(enum dns_result result)
{
    return result == DNS_ANSWER || result == DNS_NODATA || result == DNS_NXDOMAIN ||
           result == DNS_CNAME_LOOP;
}

/* A message that answers our question has come. ST_OK or ST_NOMEM. */
static enum status take_reply(struct dns_exchange *x, const void *p, size_t len)
{
    struct dns_answer answer;
    dns_answer_init(&answer);
    enum status st = dns_msg_parse(&answer, p, len, x->question->name, x->question->type);
    if (st != ST_OK) {
        dns_answer_free(&answer);
        return st;
    }
    if (x->edns && dislikes_edns(&answer)) {
        dns_answer_free(&answer);
        hang_up(x);
        x->edns = false;
        x->phase = DNS_PHASE_START;
        return ST_OK;
    }
    if (answer.truncated && !is_tcp(x)) {
        x->truncated_rcode = answer.rcode;
        dns_answer_free(&answer);
        return start_tcp(x);
    }
    if (answer.truncated) {
        /* Over TCP there is no reason to cut: half an answer is not shown as a whole one. */
        dns_answer_free(&answer);
        fail_try(x, DNS_MALFORMED);
        return ST_OK;
    }
    answer.authentic = answer.authentic && is_trusted(x);
    if (settles(answer.result)) {
        answer.server = *current_server(x);
        answer.over_tcp = is_tcp(x);
        finish(x, &answer);
        return ST_OK;
    }
    x->struck |= UINT32_C(1) << x->server;
    remember(x, &answer);
    next_server(x);
    return ST_OK;
}

static bool is_reply(const struct dns_exchange *x, const void *p, size_t len)
{
    const struct dns_question *q = x->question;
    return dns_msg_is_reply(p, len, x->id, q->name, q->type, question_class(q));
}

static enum status receive_datagrams(struct dns_exchange *x)
{
    uint8_t *scratch = x->route->scratch;
    while (x->ignored_in_try < DNS_IGNORED_MAX) {
        size_t got = 0;
        enum status st = x->conn->ops->read(x->conn, scratch, DNS_MESSAGE_MAX, &got);
        if (st == ST_AGAIN) {
            return ST_OK;
        }
        if (st != ST_OK && st != ST_LIMIT) {
            fail_transport(x, st);
            return ST_OK;
        }
        if (st == ST_OK && is_reply(x, scratch, got)) {
            return take_reply(x, scratch, got);
        }
        x->ignored++;
        x->ignored_in_try++;
    }
    fail_try(x, DNS_TIMEOUT);
    return ST_OK;
}

static void write_stream(struct dns_exchange *x)
{
    while (x->written < x->out.len) {
        size_t put = 0;
        enum status st =
            x->conn->ops->write(x->conn, x->out.p + x->written, x->out.len - x->written, &put);
        if (st == ST_AGAIN) {
            return;
        }
        if (st != ST_OK) {
            fail_transport(x, st);
            return;
        }
        x->written += put;
    }
    wait_for(x, DNS_PHASE_READ, NET_READ);
}

static void finish_connect(struct dns_exchange *x)
{
    enum status st = x->route->net->ops->connect_result(x->route->net, x->conn);
    if (st == ST_OK) {
        wait_for(x, DNS_PHASE_WRITE, NET_WRITE);
        write_stream(x);
    } else if (st != ST_AGAIN) {
        fail_transport(x, st);
    }
}

/* Returns true when the message has been dealt with, whatever came of it. */
static bool take_stream(struct dns_exchange *x, enum status *st)
{
    *st = ST_OK;
    if (x->in.len < TCP_PREFIX) {
        return false;
    }
    size_t len = (size_t)(uint8_t)x->in.p[0] << 8 | (uint8_t)x->in.p[1];
    if (len >= DNS_HEADER_SIZE && x->in.len - TCP_PREFIX < len) {
        return false;
    }
    if (len < DNS_HEADER_SIZE || !is_reply(x, x->in.p + TCP_PREFIX, len)) {
        fail_try(x, DNS_MALFORMED);
    } else {
        *st = take_reply(x, x->in.p + TCP_PREFIX, len);
    }
    return true;
}

static enum status read_stream(struct dns_exchange *x)
{
    for (;;) {
        char piece[READ_PIECE];
        size_t got = 0;
        enum status st = x->conn->ops->read(x->conn, piece, sizeof(piece), &got);
        if (st == ST_AGAIN) {
            return ST_OK;
        }
        if (st != ST_OK) {
            /* Nothing said is a server that cannot be reached; half a message is a broken one. */
            if (x->in.len > 0 && (st == ST_EOF || st == ST_RESET)) {
                fail_try(x, DNS_MALFORMED);
            } else {
                fail_transport(x, st);
            }
            return ST_OK;
        }
        /* What a server sends behind the message is not looked at. */
        size_t room = x->in.max - x->in.len;
        if (buf_add(&x->in, piece, got < room ? got : room) != ST_OK) {
            return ST_NOMEM;
        }
        if (take_stream(x, &st)) {
            return st;
        }
    }
}

enum status dns_exchange_step(struct dns_exchange *x, unsigned ready)
{
    enum status st = ST_OK;
    if (ready != 0) {
        switch (x->phase) {
        case DNS_PHASE_SEND:
            send_datagram(x);
            break;
        case DNS_PHASE_RECEIVE:
            st = receive_datagrams(x);
            break;
        case DNS_PHASE_CONNECT:
            finish_connect(x);
            break;
        case DNS_PHASE_WRITE:
            write_stream(x);
            break;
        case DNS_PHASE_READ:
            st = read_stream(x);
            break;
        case DNS_PHASE_START:
        case DNS_PHASE_DONE:
            break;
        }
    }
    if (st == ST_OK && x->conn != NULL && net_now_us(x->route->net) >= x->deadline) {
        fail_try(x, DNS_TIMEOUT);
    }
    return st;
}

void dns_exchange_stop(struct dns_exchange *x, enum dns_result result)
{
    if (x->phase != DNS_PHASE_DONE) {
        finish_without_reply(x, result);
    }
}

void dns_exchange_free(struct dns_exchange *x)
{
    hang_up(x);
    buf_free(&x->query);
    buf_free(&x->out);
    buf_free(&x->in);
    if (x->has_best) {
        dns_answer_free(&x->best);
        x->has_best = false;
    }
}
