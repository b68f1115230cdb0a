#include "report_json.h"

#include <string.h>

#define put report_json_put

static json_t *strings(char *const *list, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++) {
        if (json_array_append_new(array, report_json_string(list[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* The limit that --timeout sets for all waits alike; else they are those of RFC 5321. */
static json_t *timeout_json(const struct smtp_limits *l)
{
    bool one = l->connect == l->banner && l->banner == l->mail && l->mail == l->dot;
    return one ? json_integer(l->connect / 1000) : json_null();
}

static bool put_wishes(json_t *o, const struct plan *p)
{
    return put(o, "host", report_json_string(p->host)) && put(o, "port", json_integer(p->port)) &&
           put(o, "tls", json_string(plan_tls_name(p->tls))) &&
           put(o, "family", p->family != 0 ? json_integer(p->family) : json_null()) &&
           put(o, "source", report_json_address(&p->source)) &&
           put(o, "helo", report_json_string(p->helo)) &&
           put(o, "from", report_json_string(p->from)) && put(o, "to", report_json_string(p->to)) &&
           put(o, "auth_user", report_json_string(p->auth_user)) &&
           put(o, "auth_mech", report_json_string(p->auth_mech)) &&
           put(o, "auth_in_clear", json_boolean(p->auth_in_clear));
}

static json_t *proxy_json(const struct proxy_wish *wish)
{
    char text[PROXY_WISH_TEXT];
    proxy_wish_format(wish, text, sizeof(text));
    return wish->version != 0 ? json_string(text) : json_null();
}

/* Who speaks to the server, and what with; of files, only that there was one. */
static bool put_hand_wishes(json_t *o, const struct plan *p)
{
    return put(o, "lmtp", json_boolean(p->lmtp)) && put(o, "proxy", proxy_json(&p->proxy)) &&
           put(o, "xclient", report_json_string(p->xclient)) &&
           put(o, "bdat", p->chunk > 0 ? json_integer((json_int_t)p->chunk) : json_null()) &&
           put(o, "mail_params", report_json_string(p->mail_params)) &&
           put(o, "rcpt_params", report_json_string(p->rcpt_params)) &&
           put(o, "sample",
               p->sample != SAMPLE_NONE ? json_string(sample_name(p->sample)) : json_null()) &&
           put(o, "message", json_boolean(p->message.p != NULL)) &&
           put(o, "attach", json_boolean(p->attach.p != NULL));
}

json_t *report_json_options(const struct plan *plan)
{
    if (plan == NULL) {
        return json_null();
    }
    json_t *o = json_object();
    if (o != NULL && put_wishes(o, plan) &&
        put(o, "relay_test", json_boolean(plan->relay_consent)) &&
        put(o, "send", json_boolean(plan->send_consent)) &&
        put(o, "read_only", json_boolean(plan->read_only)) &&
        put(o, "first_path", json_boolean(plan->first_path)) &&
        put(o, "timeout_s", timeout_json(&plan->limits)) &&
        put(o, "deadline_s", plan->deadline_s > 0 ? json_integer(plan->deadline_s) : json_null()) &&
        put_hand_wishes(o, plan)) {
        return o;
    }
    json_decref(o);
    return NULL;
}

json_t *report_json_self(const struct facts *own)
{
    if (own == NULL) {
        return json_null();
    }
    json_t *o = json_object();
    if (o != NULL && put(o, "address", report_json_string(own->own_address)) &&
        put(o, "local", report_json_address(&own->local)) &&
        put(o, "ptr", report_json_string(own->own_ptr)) &&
        put(o, "ptr_confirmed", json_boolean(own->own_ptr_confirmed))) {
        return o;
    }
    json_decref(o);
    return NULL;
}

static json_t *check_key(enum check_id check)
{
    return check < CHECK_COUNT ? json_string(checks[check].key) : json_null();
}

static json_t *answer_json(const struct record_answer *a)
{
    const struct dns_facts *f = &a->f;
    char type[16];
    dns_type_name(f->type, type, sizeof(type));
    json_t *o = json_object();
    if (o != NULL && put(o, "check", check_key(a->check)) &&
        put(o, "name", report_json_string(f->name)) && put(o, "type", json_string(type)) &&
        put(o, "result", json_string(dns_result_name(f->result))) &&
        put(o, "records", strings(f->records, f->count)) &&
        put(o, "dropped", json_integer((json_int_t)f->dropped)) &&
        put(o, "alias", report_json_string(f->alias)) &&
        put(o, "server", report_json_address(&f->server)) &&
        put(o, "direct", json_boolean(f->direct)) &&
        put(o, "checking_disabled", json_boolean(f->checking_disabled)) &&
        put(o, "authentic", json_boolean(f->authentic)) &&
        put(o, "tcp", json_boolean(f->over_tcp)) &&
        put(o, "ede", f->ede >= 0 ? json_integer(f->ede) : json_null()) &&
        put(o, "ms", report_json_ms(f->elapsed_us))) {
        return o;
    }
    json_decref(o);
    return NULL;
}

json_t *report_json_answers(const struct record *r)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < r->answer_count; i++) {
        if (json_array_append_new(array, answer_json(&r->answers[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

struct word {
    enum status status;
    const char *name;
};

/* How attempts and conversations end; what is not here is "failed". */
static const struct word results[] = {
    {ST_OK, "connected"},    {ST_REFUSED, "refused"},
    {ST_TIMEOUT, "timeout"}, {ST_UNREACHABLE, "unreachable"},
    {ST_RESET, "reset"},     {ST_EOF, "closed"},
    {ST_DENIED, "denied"},   {ST_LIMIT, "exhausted"},
};

static const struct word ends[] = {
    {ST_OK, "us"},         {ST_EOF, "closed"}, {ST_RESET, "reset"},    {ST_TIMEOUT, "timeout"},
    {ST_LIMIT, "endless"}, {ST_TLS, "tls"},    {ST_PROTO, "not-smtp"}, {ST_CANCELLED, "cancelled"},
};

static const char failed[] = "failed";
static const char no_route[] = "no-route";

static const char *word_of(const struct word *table, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].status == status) {
            return table[i].name;
        }
    }
    return failed;
}

static enum status status_of(const struct word *table, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, word) == 0) {
            return table[i].status;
        }
    }
    return ST_IO;
}

const char *report_dial_result(const struct dial_facts *f)
{
    return f->no_route ? no_route : word_of(results, ARRAY_LEN(results), f->status);
}

const char *report_dial_end(enum status why)
{
    return word_of(ends, ARRAY_LEN(ends), why);
}

void report_dial_result_of(const char *word, struct dial_facts *f)
{
    f->no_route = strcmp(word, no_route) == 0;
    f->status = f->no_route ? ST_UNREACHABLE : status_of(results, ARRAY_LEN(results), word);
}

enum status report_dial_end_of(const char *word)
{
    return status_of(ends, ARRAY_LEN(ends), word);
}

static json_t *dial_json(const struct record_dial *d)
{
    json_t *o = json_object();
    if (o != NULL && put(o, "check", check_key(d->check)) &&
        put(o, "path", json_integer(d->path)) && put(o, "t_ms", report_json_ms(d->t_us)) &&
        put(o, "line", json_integer(d->line)) && put(o, "address", report_json_address(&d->f.to)) &&
        put(o, "port", json_integer(d->f.to.port)) &&
        put(o, "local", report_json_address(&d->f.local)) &&
        put(o, "result", json_string(report_dial_result(&d->f))) &&
        put(o, "ms", report_json_ms(d->f.elapsed_us)) &&
        put(o, "conversation", json_boolean(d->talked)) &&
        put(o, "end", d->ended ? json_string(report_dial_end(d->why)) : json_null()) &&
        put(o, "last_line", d->ended ? json_integer(d->last_line) : json_null())) {
        return o;
    }
    json_decref(o);
    return NULL;
}

json_t *report_json_dials(const struct record *r)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < r->dial_count; i++) {
        if (json_array_append_new(array, dial_json(&r->dials[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}
