#include "guided_words.h"

#include <stdio.h>
#include <string.h>

#include "bounce_line.h"
#include "compose.h"
#include "text.h"

#define FIELD_MAX 1024

static bool known_step(const char *name)
{
    return check_find(name) != NULL;
}

static bool known_field(const char *name)
{
    return guided_field_find(name) != NULL;
}

static const char *const facts[] = {"domain", "host", "port", "address", "own_address", "own_name"};

static bool known_fact(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (strcmp(facts[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool known_outcome(const char *pattern)
{
    for (size_t i = 0; i < finding_kind_count; i++) {
        if (playbook_pattern(pattern, finding_kinds[i].id)) {
            return true;
        }
    }
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (playbook_pattern(pattern, checks[i].key)) {
            return true;
        }
    }
    for (size_t i = 0; i < reply_cause_count; i++) {
        if (playbook_pattern(pattern, reply_causes[i].id)) {
            return true;
        }
    }
    return playbook_pattern(pattern, GUIDED_REPLY_NONE);
}

const struct playbook_known guided_known = {known_step, known_field, known_fact, known_outcome};

/* The fields. */

static enum status preset_domain(const struct plan *plan, struct buf *out)
{
    const char *domain = plan->domain_shown != NULL ? plan->domain_shown : plan->domain;
    const char *text = domain != NULL ? domain : plan->input;
    return text != NULL ? buf_add_str(out, text) : ST_OK;
}

/* Tries it on a copy, because a target that is wrong in its second half must not change the first. */
static enum status set_target(struct plan *plan, const char *text, struct error *error)
{
    struct plan copy;
    plan_init(&copy);
    enum status st = plan_copy(&copy, plan);
    if (st != ST_OK) {
        plan_free(&copy);
        return error_set(error, st, 0, "%s", _("Not enough memory."));
    }
    copy.port = 0;
    copy.tls = PLAN_TLS_AUTO;
    /* A recipient may be missing yet: who that is may be asked later. */
    copy.send_consent = false;
    st = plan_set_target(&copy, text, error);
    if (st == ST_OK) {
        st = plan_validate(&copy, error);
    }
    if (st == ST_OK) {
        copy.send_consent = plan->send_consent;
        plan_free(plan);
        *plan = copy;
    } else {
        plan_free(&copy);
    }
    return st;
}

static bool is_preset(const struct guided_field *f, const struct plan *plan, const char *text)
{
    struct buf preset;
    buf_init(&preset, FIELD_MAX);
    bool same = f->preset(plan, &preset) == ST_OK && strcmp(buf_str(&preset), text) == 0;
    buf_free(&preset);
    return same;
}

static enum status accept_domain(struct plan *plan, const char *text, struct error *error)
{
    /* What was there already may have come with a port, or with a host, that is to be kept. */
    bool same = text[0] != '\0' && is_preset(guided_field_find("domain"), plan, text);
    return same ? ST_OK : set_target(plan, text, error);
}

static enum status preset_server(const struct plan *plan, struct buf *out)
{
    return plan->host != NULL && plan->domain == NULL ? buf_add_str(out, plan->input) : ST_OK;
}

static enum status accept_server(struct plan *plan, const char *text, struct error *error)
{
    char url[FIELD_MAX];
    if (is_preset(guided_field_find("server"), plan, text)) {
        return text[0] != '\0' ? ST_OK
                               : error_set(error, ST_INVALID, 0, "%s",
                                           _("Name the server, for example mail.example.com."));
    }
    text += strspn(text, " \t");
    size_t len = strlen(text);
    bool tls_first = len > 4 && strcmp(text + len - 4, ":465") == 0;
    int n = strstr(text, "://") != NULL
                ? snprintf(url, sizeof(url), "%s", text)
                : snprintf(url, sizeof(url), "%s://%s", tls_first ? "submissions" : "submission", text);
    if (n < 0 || (size_t)n >= sizeof(url)) {
        return error_set(error, ST_INVALID, 0, "%s", _("This name is too long."));
    }
    return set_target(plan, url, error);
}

static enum status preset_recipient(const struct plan *plan, struct buf *out)
{
    if (plan->to != NULL) {
        return buf_add_str(out, plan->to);
    }
    return plan->domain != NULL ? buf_addf(out, "postmaster@%s", plan->domain) : ST_OK;
}

static enum status accept_recipient(struct plan *plan, const char *text, struct error *error)
{
    enum status st = address_check(text, false, true, error);
    if (st == ST_OK && str_set(&plan->to, text) != ST_OK) {
        st = error_set(error, ST_NOMEM, 0, "%s", _("Not enough memory."));
    }
    return st;
}

/* The target follows the address, unless the mail goes there already. */
static enum status accept_destination(struct plan *plan, const char *text, struct error *error)
{
    enum status st = address_check(text, false, true, error);
    const char *at = strrchr(text, '@');
    bool there = at != NULL && plan->domain != NULL &&
                 (str_equal_nocase(at + 1, plan->domain) ||
                  (plan->domain_shown != NULL && str_equal_nocase(at + 1, plan->domain_shown)));
    if (st == ST_OK && !there) {
        st = set_target(plan, text, error);
    }
    return st == ST_OK ? accept_recipient(plan, text, error) : st;
}

static enum status preset_nothing(const struct plan *plan, struct buf *out)
{
    (void)plan;
    (void)out;
    return ST_OK;
}

static const struct guided_field fields[] = {
    {"domain", true, preset_domain, accept_domain},
    {"server", true, preset_server, accept_server},
    {"recipient", false, preset_recipient, accept_recipient},
    {"destination", true, preset_recipient, accept_destination},
    {"reply", false, preset_nothing, NULL},
};

const struct guided_field *guided_field_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

/* The facts. */

static const char *host_of(const struct plan *plan, const struct facts *path)
{
    return path != NULL && path->mx != NULL ? path->mx : plan->host;
}

/* The first host that DNS named, before any was connected to. */
static const char *named_host(const struct record *record)
{
    for (size_t i = 0; i < record->finding_count; i++) {
        const struct finding *f = &record->findings[i].f;
        if (strcmp(f->kind->id, "dns.mx.found") == 0) {
            return finding_arg_get(f, "hosts");
        }
    }
    return NULL;
}

enum status guided_facts(struct playbook_walk *w, const struct plan *plan, const struct record *record)
{
    char port[8], address[NET_ADDRESS_TEXT] = "";
    const struct facts *path = record_path(record);
    const struct facts *own = record->path_count > 0 ? record->paths[0] : NULL;
    const char *domain = plan->domain_shown != NULL ? plan->domain_shown
                         : plan->domain != NULL     ? plan->domain
                         : plan->host != NULL       ? plan->host
                                                    : plan->input;
    const char *host = host_of(plan, path);
    host = host != NULL ? host : named_host(record);
    host = host != NULL ? host : domain;
    snprintf(port, sizeof(port), "%u", (unsigned)plan_port(plan));
    if (path != NULL && path->address.family != 0) {
        net_address_format(&path->address, address, sizeof(address));
    }
    const char *const values[ARRAY_LEN(facts)] = {
        domain,
        host,
        port,
        address,
        own != NULL ? own->own_address : NULL,
        own != NULL ? own->own_ptr : NULL,
    };
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(facts) && st == ST_OK; i++) {
        st = playbook_set_fact(w, facts[i], values[i]);
    }
    return st;
}

struct reply_verdict guided_reply_read(const char *text)
{
    struct bounce_line line;
    bounce_line_read(span_of(text), &line);
    const struct reply_question question = bounce_line_question(&line);
    return reply_decode(&question);
}

size_t guided_outcomes(const struct record *record, const struct reply_verdict *reply,
                       struct playbook_outcome out[GUIDED_OUTCOMES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < record->finding_count; i++) {
        const struct finding *f = &record->findings[i].f;
        out[count++] = (struct playbook_outcome){f->kind->id, verdict_name(f->verdict)};
        if (f->class != CLASS_NONE) {
            out[count++] = (struct playbook_outcome){f->kind->id, reply_class_name(f->class)};
        }
    }
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        out[count++] =
            (struct playbook_outcome){checks[i].key, verdict_name(record->steps[i].verdict)};
    }
    if (reply != NULL && reply->cause != NULL) {
        out[count++] =
            (struct playbook_outcome){reply->cause->id, reply_class_name(reply->cause->class)};
    } else if (reply != NULL) {
        out[count++] = (struct playbook_outcome){GUIDED_REPLY_NONE, ""};
    }
    return count;
}
