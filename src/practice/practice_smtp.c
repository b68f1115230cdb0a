#include "practice_session.h"

#include <stdlib.h>
#include <string.h>

#include "scenario_words.h"

#define TLS_OUT_MAX (8u << 20)

/* Out to the wire, through TLS where it is up. */
static void emit(struct session *s, const char *p, size_t len)
{
    enum status st;
    if (s->secured) {
        st = tls_side_write(s->tls, p, len, &s->base.out);
    } else {
        st = buf_add(&s->base.out, p, len);
    }
    if (st != ST_OK) {
        s->base.reset = true;
    }
}

static void note_code(struct session *s, const char *p, size_t len)
{
    if (s->code != 0 || len < 3) {
        return;
    }
    int code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return;
        }
        code = code * 10 + (p[i] - '0');
    }
    s->code = code;
}

void session_say(struct session *s, const char *p, size_t len)
{
    note_code(s, p, len);
    if (s->drip_us > 0) {
        if (buf_add(&s->dripping, p, len) != ST_OK) {
            s->base.reset = true;
        }
    } else {
        emit(s, p, len);
    }
}

static void say_line_end(struct session *s)
{
    static const char *const ends[] = {
        [LINE_END_CRLF] = "\r\n", [LINE_END_LF] = "\n", [LINE_END_CR] = "\r"};
    const char *end = ends[s->server->line_end];
    session_say(s, end, strlen(end));
}

void session_reply(struct session *s, const char *fmt, ...)
{
    struct buf line;
    va_list ap;
    buf_init(&line, 2 * SESSION_LINE_MAX);
    va_start(ap, fmt);
    enum status st = buf_addv(&line, fmt, ap);
    va_end(ap);
    if (st == ST_OK) {
        session_say(s, buf_str(&line), line.len);
        say_line_end(s);
    }
    buf_free(&line);
}

static enum status add_buf(struct buf *out, const struct buf *b)
{
    return buf_add(out, buf_str(b), b->len);
}

static enum status fill_field(void *ctx, enum text_field field, struct buf *out)
{
    const struct session *s = ctx;
    char text[NET_ADDRESS_TEXT];
    switch (field) {
    case FIELD_HOST:
        return buf_add_str(out, s->host);
    case FIELD_CLIENT:
        net_address_format(&s->client, text, sizeof(text));
        return buf_add_str(out, text);
    case FIELD_HELO:
        return add_buf(out, &s->helo);
    case FIELD_SENDER:
        return add_buf(out, &s->sender);
    case FIELD_ADDRESS:
        return add_buf(out, &s->address);
    case FIELD_COMMAND:
        return add_buf(out, &s->command);
    case FIELD_ID:
        return buf_add_str(out, s->queue_id);
    case FIELD_N:
        return buf_addf(out, "%llu", (unsigned long long)s->n);
    case FIELD_SIZE:
        return buf_addf(out, "%llu", (unsigned long long)s->text_octets);
    case FIELD_DATE:
        clock_rfc5322(world_wall_us(s->w), text, sizeof(text));
        return buf_add_str(out, text);
    case FIELD_SOFTWARE:
        return buf_add_str(out, s->server->software != NULL ? s->server->software : "Postfix");
    case FIELD_COUNT:
        break;
    }
    return ST_OK;
}

void session_text(struct session *s, const char *text, bool line)
{
    struct buf out;
    const char *bad = NULL;
    buf_init(&out, 4 * SESSION_LINE_MAX);
    if (scenario_text_add(&out, text, fill_field, s, &bad) == ST_OK) {
        session_say(s, buf_str(&out), out.len);
        if (line) {
            say_line_end(s);
        }
    }
    buf_free(&out);
}

void session_close(struct session *s)
{
    if (s->secured) {
        tls_side_shut(s->tls, &s->base.out);
    }
    s->base.fin = true;
}

static bool is_over(const struct session *s)
{
    return s->base.fin || s->base.reset || s->silent;
}

static void begin_answer(struct session *s, enum session_event event,
                         const struct scenario_rule *rule)
{
    s->event = event;
    s->rule = rule;
    s->answering = true;
    s->action = 0;
    s->repeated = 0;
    s->code = 0;
    s->drip_us = 0;
    s->start_tls = false;
    s->base.split = s->server->split;
    if (event == EVENT_MESSAGE) {
        static const char hex[] = "0123456789ABCDEF";
        uint64_t v = practice_random_next(&s->w->server_random);
        for (size_t i = 0; i < sizeof(s->queue_id) - 2; i++) {
            s->queue_id[i] = hex[(v >> (4 * i)) & 15];
        }
    }
}

static void begin_handshake(struct session *s)
{
    s->start_tls = false;
    s->tls = tls_side_new(s->w->tls, s->server, s->host, s->next_tls);
    if (s->tls == NULL) {
        s->base.reset = true;
        return;
    }
    s->handshaking = true;
    /* RFC 3207 4.2: what came in clear is forgotten, and so is everything learnt from it. */
    if (!s->server->keeps_commands) {
        buf_clear(&s->in);
    }
    session_reset_mail(s);
    s->said_hello = false;
    s->logged_in = false;
    buf_clear(&s->helo);
}

static void end_answer(struct session *s)
{
    s->answering = false;
    s->greeted = s->greeted || s->event == EVENT_CONNECT;
    session_effect(s);
    s->drip_us = 0;
    s->quiet_since_us = s->w->now_us;
    if (s->start_tls && !is_over(s)) {
        begin_handshake(s);
    }
}

/* A line of `in` without its end; false when none is complete. */
static bool take_line(struct session *s, struct buf *out)
{
    const char *p = buf_str(&s->in);
    const char *end = s->in.len > 0 ? memchr(p, '\n', s->in.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - p) : s->in.len;
    if (end == NULL && s->in.len < SESSION_LINE_MAX) {
        return false;
    }
    size_t used = len + (end != NULL ? 1 : 0);
    size_t kept = len > 0 && p[len - 1] == '\r' ? len - 1 : len;
    session_set(out, p, kept < out->max ? kept : out->max);
    buf_drop_front(&s->in, used);
    return true;
}

/* One octet of message text. True at the end of the message. */
static bool text_octet(struct session *s, char c)
{
    bool end = s->text_state == TEXT_DOT_CR && c == '\n';
    s->text_before = s->text_octets;
    if (s->text_state == TEXT_LINE_START && c == '.') {
        s->text_state = TEXT_DOT;
        return false;
    }
    if (s->text_state == TEXT_DOT && c == '\r') {
        s->text_state = TEXT_DOT_CR;
        return false;
    }
    if (end) {
        return true;
    }
    /* A dot at the start of a longer line was put there by the client and is not text. */
    uint64_t octets = s->text_state == TEXT_DOT_CR ? 2 : 1;
    s->text_octets += octets;
    s->w->text_bytes += octets;
    if (c == '\r') {
        s->text_state = TEXT_CR;
    } else {
        s->text_state = c == '\n' && s->text_state == TEXT_CR ? TEXT_LINE_START : TEXT_LINE;
    }
    return false;
}

static bool has_at_rules(const struct session *s)
{
    for (size_t i = 0; i < s->server->rule_count; i++) {
        if (s->server->rules[i].has_at) {
            return true;
        }
    }
    return false;
}

/* Message text, up to its end or to the octet at which a rule waits. */
static bool take_text(struct session *s)
{
    bool watch = has_at_rules(s);
    size_t i = 0;
    bool end = false;
    const struct scenario_rule *rule = NULL;
    while (i < s->in.len && !end && rule == NULL) {
        end = text_octet(s, s->in.p[i++]);
        if (!end && watch) {
            rule = session_match(s, EVENT_MESSAGE_AT);
        }
    }
    bool any = i > 0;
    buf_drop_front(&s->in, i);
    if (end) {
        s->phase = PHASE_COMMANDS;
        s->follow = EVENT_MESSAGE;
    } else if (rule != NULL) {
        begin_answer(s, EVENT_MESSAGE_AT, rule);
    }
    return any;
}

static bool take_chunk(struct session *s)
{
    uint64_t n = s->chunk_left < s->in.len ? s->chunk_left : s->in.len;
    bool open = s->in_mail && s->recipients > 0;
    if (n == 0 && s->chunk_left > 0) {
        return false;
    }
    buf_drop_front(&s->in, (size_t)n);
    s->chunk_left -= n;
    if (open) {
        s->text_octets += n;
        s->w->text_bytes += n;
    }
    if (s->chunk_left > 0) {
        return true;
    }
    s->phase = PHASE_COMMANDS;
    if (s->chunk_answered) {
        if (s->chunk_last) {
            session_reset_mail(s);
        }
    } else if (!open) {
        session_reply(s, "503 5.5.1 Error: need RCPT command");
    } else if (s->chunk_last) {
        s->follow = EVENT_MESSAGE;
    } else {
        session_reply(s, "250 2.0.0 Ok: %llu bytes", (unsigned long long)s->text_octets);
    }
    return true;
}

/* The next piece of what came in. False: more has to come. */
static bool take_input(struct session *s)
{
    if (s->phase == PHASE_PROXY) {
        return false;
    }
    if (s->phase == PHASE_TEXT) {
        return take_text(s);
    }
    if (s->phase == PHASE_CHUNK) {
        return take_chunk(s);
    }
    if (!take_line(s, &s->command)) {
        return false;
    }
    if (s->phase == PHASE_LOGIN) {
        world_log(s->w, s->number, s->secured, "<hidden>", 8);
        session_response(s, buf_str(&s->command), s->command.len);
        return true;
    }
    session_log_command(s);
    session_read_address(s);
    auth_free(s->auth);
    s->auth = NULL;
    s->follow = EVENT_COMMAND;
    return true;
}

/* What has been waiting for its moment. False: nothing more can be done now. */
static bool go_on(struct session *s, int64_t now_us)
{
    if (s->busy_until_us > now_us) {
        return false;
    }
    if (s->dripping.len > 0) {
        emit(s, s->dripping.p, 1);
        buf_drop_front(&s->dripping, 1);
        s->busy_until_us = s->dripping.len > 0 ? now_us + s->drip_us : 0;
        return true;
    }
    if (s->answering) {
        if (s->rule != NULL && s->action < s->rule->action_count) {
            return session_step(s, now_us);
        }
        if (s->rule == NULL && s->action == 0) {
            s->action = 1;
            session_default(s);
            return true;
        }
        end_answer(s);
        return true;
    }
    if (s->follow != EVENT_NONE) {
        enum session_event event = s->follow;
        s->follow = EVENT_NONE;
        begin_answer(s, event, session_match(s, event));
        s->busy_until_us = now_us + s->server->think_us;
        return true;
    }
    return !s->handshaking && take_input(s);
}

static void set_timer(struct session *s, int64_t now_us)
{
    s->base.patient = false;
    if (is_over(s)) {
        s->base.timer_us = NO_DEADLINE;
    } else if (s->busy_until_us > now_us) {
        s->base.timer_us = s->busy_until_us;
    } else if (!s->answering && s->dripping.len == 0 && !s->handshaking) {
        s->base.timer_us = session_idle_us(s);
        s->base.patient = true;
    } else {
        s->base.timer_us = NO_DEADLINE;
    }
}

static void act(struct session *s, int64_t now_us)
{
    while (!is_over(s) && go_on(s, now_us)) {
    }
    set_timer(s, now_us);
}

static void open_session(struct session *s)
{
    if (s->implicit_tls) {
        s->next_tls = s->server->tls;
        begin_handshake(s);
    } else {
        s->follow = EVENT_CONNECT;
    }
}

static void smtp_start(struct actor *a, int64_t now_us)
{
    struct session *s = (struct session *)a;
    world_log(s->w, s->number, s->implicit_tls, "<connect>", 9);
    s->quiet_since_us = now_us;
    if (s->server->proxy != 0) {
        s->phase = PHASE_PROXY;
    } else {
        open_session(s);
    }
    act(s, now_us);
}

/* True when the client has ended TLS, or it has failed: what came before is still answered. */
static bool feed_tls(struct session *s, const char *p, size_t len)
{
    enum tls_progress progress = tls_side_feed(s->tls, p, len, &s->in, &s->base.out);
    switch (progress) {
    case TLS_GOING_ON:
        break;
    case TLS_UP:
        if (s->handshaking) {
            s->handshaking = false;
            s->secured = true;
            s->follow = s->implicit_tls ? EVENT_CONNECT : EVENT_SECURED;
        }
        break;
    case TLS_OVER:
        return true;
    case TLS_SILENT:
        s->silent = true;
        break;
    case TLS_RESET:
        s->base.reset = true;
        break;
    }
    return false;
}

/* What stands behind the header is the client's first word, or the begin of its handshake. */
static bool take_proxy_header(struct session *s)
{
    enum status st = session_proxy(s);
    if (st == ST_INVALID) {
        world_log(s->w, s->number, false, "<bad proxy header>", 18);
        session_close(s);
    }
    if (st != ST_OK) {
        return false;
    }
    s->phase = PHASE_COMMANDS;
    struct buf rest = s->in;
    buf_init(&s->in, SESSION_IN_MAX);
    open_session(s);
    bool over = false;
    if (rest.len > 0 && s->tls != NULL) {
        over = feed_tls(s, rest.p, rest.len);
    } else if (rest.len > 0 && buf_add(&s->in, rest.p, rest.len) != ST_OK) {
        s->base.reset = true;
    }
    buf_wipe(&rest);
    return over;
}

static void smtp_input(struct actor *a, int64_t now_us, const char *p, size_t len)
{
    struct session *s = (struct session *)a;
    if (is_over(s)) {
        return;
    }
    s->quiet_since_us = now_us;
    bool over = false;
    if (s->phase == PHASE_PROXY) {
        if (buf_add(&s->in, p, len) != ST_OK) {
            s->base.reset = true;
        }
        over = take_proxy_header(s);
    } else if (s->tls != NULL) {
        over = feed_tls(s, p, len);
    } else if (buf_add(&s->in, p, len) != ST_OK) {
        s->base.reset = true;
    }
    s->spoke_early =
        s->spoke_early || (!s->greeted && s->phase != PHASE_PROXY && s->in.len > 0);
    act(s, now_us);
    s->base.fin = s->base.fin || over;
}

static void smtp_ended(struct actor *a, int64_t now_us)
{
    struct session *s = (struct session *)a;
    (void)now_us;
    session_close(s);
}

static void smtp_run(struct actor *a, int64_t now_us)
{
    struct session *s = (struct session *)a;
    a->timer_us = NO_DEADLINE;
    if (!s->answering && s->follow == EVENT_NONE && s->dripping.len == 0 && !s->handshaking &&
        session_idle_us(s) <= now_us) {
        s->follow = EVENT_IDLE;
    }
    act(s, now_us);
}

static void smtp_free(struct actor *a)
{
    struct session *s = (struct session *)a;
    struct buf *bufs[] = {&s->in,      &s->helo,     &s->sender,  &s->address,
                          &s->command, &s->dripping, &s->base.out};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++) {
        buf_wipe(bufs[i]);
    }
    tls_side_free(s->tls);
    auth_free(s->auth);
    free(s->own_hits);
    free(s);
}

static const struct actor_ops smtp_ops = {
    .start = smtp_start,
    .input = smtp_input,
    .ended = smtp_ended,
    .run = smtp_run,
    .free = smtp_free,
};

struct actor *smtp_actor_new(struct practice *w, const struct scenario_host *host,
                             const struct scenario_port *port, const struct net_address *client,
                             unsigned number)
{
    struct session *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->base.ops = &smtp_ops;
    s->base.timer_us = NO_DEADLINE;
    s->w = w;
    s->server = &w->s->servers[port->server];
    s->counts = w->counts[port->server];
    s->host = host->name;
    s->client = *client;
    s->number = number;
    s->implicit_tls = port->tls;
    buf_init(&s->base.out, TLS_OUT_MAX);
    buf_init(&s->in, SESSION_IN_MAX);
    buf_init(&s->dripping, WORLD_OUT_MAX);
    buf_init(&s->command, SESSION_LINE_MAX);
    struct buf *fields[] = {&s->helo, &s->sender, &s->address};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        buf_init(fields[i], SESSION_FIELD_MAX);
    }
    s->own_hits = calloc(s->server->rule_count + 1, sizeof(*s->own_hits));
    if (s->own_hits == NULL) {
        smtp_free(&s->base);
        return NULL;
    }
    return &s->base;
}
