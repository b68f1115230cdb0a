#include "report_json.h"

#include <string.h>

#include "base64.h"
#include "escape.h"
#include "reply_decode.h"
#include "report_writer.h"

#define put report_json_put

/* Times are given to the microsecond; %.15g writes them without a tail of nines. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

bool report_json_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool is_utf8(const char *p, size_t len)
{
    while (len > 0) {
        uint32_t c;
        size_t n = utf8_decode(p, len, &c);
        if (n == 0) {
            return false;
        }
        p += n;
        len -= n;
    }
    return true;
}

json_t *report_json_bytes(const char *p, size_t len)
{
    if (is_utf8(p, len)) {
        return json_stringn(len > 0 ? p : "", len);
    }
    struct buf b;
    buf_init(&b, REPORT_MAX);
    json_t *text = escape_add(&b, p, len, 0) == ST_OK ? json_stringn(b.p, b.len) : NULL;
    buf_free(&b);
    return text;
}

json_t *report_json_string(const char *text)
{
    return text != NULL ? report_json_bytes(text, strlen(text)) : json_null();
}

json_t *report_json_ms(int64_t us)
{
    return us % US_PER_MS == 0 ? json_integer(us / US_PER_MS) : json_real((double)us / 1000.0);
}

struct sink {
    struct buf *out;
    enum status st;
};

/* Everything over 0x7e leaves as an escape. jansson does that for all but DEL, which is a control
 * too. */
static int dump_piece(const char *p, size_t len, void *ctx)
{
    struct sink *sink = ctx;
    while (len > 0 && sink->st == ST_OK) {
        const char *del = memchr(p, 0x7f, len);
        size_t run = del != NULL ? (size_t)(del - p) : len;
        sink->st = buf_add(sink->out, p, run);
        if (sink->st == ST_OK && del != NULL) {
            sink->st = buf_add_str(sink->out, "\\u007f");
        }
        run += del != NULL ? 1 : 0;
        p += run;
        len -= run;
    }
    return sink->st == ST_OK ? 0 : -1;
}

enum status report_json_dump(struct buf *out, json_t *value)
{
    struct sink sink = {out, ST_OK};
    int rc = value != NULL ? json_dump_callback(value, dump_piece, &sink, DUMP_FLAGS) : -1;
    json_decref(value);
    if (rc == 0) {
        return ST_OK;
    }
    return sink.st != ST_OK ? sink.st : ST_NOMEM;
}

static json_t *tool_json(void)
{
    json_t *o = json_object();
    if (o != NULL && put(o, "name", json_string("smtpscope")) &&
        put(o, "version", json_string(SMTPSCOPE_VERSION))) {
        return o;
    }
    json_decref(o);
    return NULL;
}

static json_t *target_json(const struct record *r, const struct plan *plan)
{
    json_t *o = json_object();
    json_t *ports = json_array();
    bool ok = o != NULL && ports != NULL;
    if (ok && plan != NULL) {
        ok = json_array_append_new(ports, json_integer(plan_port(plan))) == 0;
    }
    const char *input = plan != NULL && plan->input != NULL ? plan->input : r->target;
    ok = ok && put(o, "input", report_json_string(input)) &&
         put(o, "domain", report_json_string(plan != NULL ? plan->domain : NULL)) &&
         put(o, "host", report_json_string(plan != NULL ? plan->host : NULL)) &&
         json_object_set(o, "ports", ports) == 0;
    json_decref(ports);
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

json_t *report_json_steps(const struct guide_text *text)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < text->step_count; i++) {
        enum who who = text->steps[i].who;
        json_t *o = json_object();
        bool ok = o != NULL &&
                  put(o, "who", json_string(who != WHO_NOBODY ? who_name(who) : "any")) &&
                  put(o, "text", report_json_string(text->steps[i].text));
        if (!ok) {
            json_decref(o);
            o = NULL;
        }
        if (json_array_append_new(array, o) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *evidence_json(const struct finding *f)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < f->evidence_count; i++) {
        if (json_array_append_new(array, json_integer(f->evidence[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *args_json(const struct finding *f)
{
    json_t *o = json_object();
    for (size_t i = 0; o != NULL && i < f->arg_count; i++) {
        if (!put(o, f->args[i].name, report_json_string(f->args[i].value))) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

static json_t *finding_json(const struct finding *f, const struct guide *guide)
{
    struct guide_text text;
    if (guide_finding(guide, f, false, &text) != ST_OK) {
        return NULL;
    }
    bool class = f->class != CLASS_NONE;
    bool reference = f->kind->reference[0] != '\0';
    json_t *o = json_object();
    bool ok = o != NULL && put(o, "id", json_string(f->kind->id)) &&
              put(o, "verdict", json_string(verdict_name(f->verdict))) &&
              put(o, "class", class ? json_string(reply_class_name(f->class)) : json_null()) &&
              put(o, "who", json_string(who_name(f->who))) &&
              put(o, "confidence", json_string(confidence_name(f->confidence))) &&
              put(o, "title", report_json_string(text.title)) &&
              put(o, "means", report_json_string(text.means)) && put(o, "do", report_json_steps(&text)) &&
              put(o, "reference", reference ? json_string(f->kind->reference) : json_null()) &&
              put(o, "args", args_json(f)) && put(o, "evidence", evidence_json(f)) &&
              (!f->typed || put(o, "typed", json_true()));
    if (ok && f->cause != NULL) {
        ok = put(o, "cause", json_string(f->cause->id)) &&
             put(o, "rule", json_string(reply_basis_name(f->basis)));
    }
    guide_text_free(&text);
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Whose limit it was. Ours, as long as no finding says otherwise. */
static json_t *side_json(const struct record *r, enum check_id check)
{
    enum side side = SIDE_OURS;
    if (r->steps[check].verdict != VERDICT_INCONCLUSIVE) {
        return json_null();
    }
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct record_finding *rf = &r->findings[i];
        if (rf->check == check && rf->f.verdict == VERDICT_INCONCLUSIVE && !rf->f.typed &&
            rf->f.side != SIDE_NONE) {
            side = rf->f.side;
        }
    }
    return json_string(side_name(side));
}

static json_t *findings_json(const struct record *r, enum check_id check, const struct guide *guide)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < r->finding_count; i++) {
        if (r->findings[i].check == check &&
            json_array_append_new(array, finding_json(&r->findings[i].f, guide)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *check_json(const struct record *r, enum check_id check, const struct guide *guide)
{
    const struct record_step *step = &r->steps[check];
    bool because = step->verdict == VERDICT_SKIPPED && step->because < CHECK_COUNT;
    bool timed = step->verdict >= VERDICT_OK;
    json_t *o = json_object();
    if (o != NULL && put(o, "id", json_string(checks[check].key)) &&
        put(o, "path", json_integer(step->path)) &&
        put(o, "verdict", json_string(verdict_name(step->verdict))) &&
        put(o, "side", side_json(r, check)) &&
        put(o, "because", because ? json_string(checks[step->because].key) : json_null()) &&
        put(o, "ms", timed ? report_json_ms(step->elapsed_us) : json_null()) &&
        put(o, "findings", findings_json(r, check, guide))) {
        return o;
    }
    json_decref(o);
    return NULL;
}

static json_t *checks_json(const struct record *r, const struct guide *guide)
{
    json_t *array = json_array();
    for (int i = 0; array != NULL && i < CHECK_COUNT; i++) {
        if (json_array_append_new(array, check_json(r, (enum check_id)i, guide)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *paths_json(const struct record *r)
{
    json_t *array = json_array();
    for (size_t i = 1; array != NULL && i < r->path_count; i++) {
        if (r->paths[i] != NULL &&
            json_array_append_new(array, report_json_path(r->paths[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const char *direction_key(const struct line *line)
{
    switch ((enum smtp_dir)line->dir) {
    case DIR_CLIENT:
        return "C";
    case DIR_SERVER:
        return "S";
    case DIR_TLS:
        return "tls";
    case DIR_NOTE:
        break;
    }
    return "note";
}

static enum status add_base64(struct buf *out, const struct line *line)
{
    enum status st = buf_add_str(out, ",\"base64\":\"");
    if (st == ST_OK) {
        st = base64_encode(out, line->text, line->len);
    }
    return st == ST_OK ? buf_add_str(out, "\"") : st;
}

static const struct {
    uint8_t flag;
    const char *name;
} line_flags[] = {
    {LINE_PROBLEM, "problem"}, {LINE_REDACTED, "redacted"}, {LINE_BODY, "body"},
    {LINE_MANUAL, "manual"},   {LINE_ODD, "odd"},
};

const char *report_line_flag(size_t index, uint8_t *flag)
{
    *flag = index < ARRAY_LEN(line_flags) ? line_flags[index].flag : 0;
    return index < ARRAY_LEN(line_flags) ? line_flags[index].name : NULL;
}

static enum status add_flags(struct buf *out, const struct line *line)
{
    const char *between = ",\"flags\":[";
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(line_flags); i++) {
        if ((line->flags & line_flags[i].flag) != 0) {
            st = buf_addf(out, "%s\"%s\"", between, line_flags[i].name);
            between = ",";
        }
    }
    return st == ST_OK && between[1] == '\0' ? buf_add_str(out, "]") : st;
}

struct transcript {
    struct buf *out;
    const char *between;
    enum status st;
};

/* A million of these must not stand in memory as objects, so each is written at once. */
static bool add_line(void *ctx, const struct line *line)
{
    struct transcript *t = ctx;
    if (line->number == 0) {
        return true;
    }
    t->st = buf_addf(t->out, "%s{\"n\":%u,\"path\":%u,\"t_ms\":", t->between,
                     (unsigned)line->number, (unsigned)line->path);
    if (t->st == ST_OK) {
        t->st = report_json_dump(t->out, report_json_ms(line->t_us));
    }
    if (t->st == ST_OK && line->check < CHECK_COUNT) {
        t->st = buf_addf(t->out, ",\"check\":\"%s\"", checks[line->check].key);
    }
    if (t->st == ST_OK) {
        t->st = buf_addf(t->out, ",\"dir\":\"%s\",\"tls\":%s,\"text\":", direction_key(line),
                         line->tls ? "true" : "false");
    }
    if (t->st == ST_OK) {
        t->st = report_json_dump(t->out, report_json_bytes(line->text, line->len));
    }
    if (t->st == ST_OK && !is_utf8(line->text, line->len)) {
        t->st = add_base64(t->out, line);
    }
    if (t->st == ST_OK && (line->flags & LINE_RAW) != 0) {
        t->st = buf_add_str(t->out, ",\"raw\":true");
    }
    if (t->st == ST_OK && (line->flags & LINE_CUT) != 0) {
        t->st = buf_add_str(t->out, ",\"cut\":true");
    }
    if (t->st == ST_OK) {
        t->st = add_flags(t->out, line);
    }
    if (t->st == ST_OK) {
        t->st = buf_add_str(t->out, "}");
    }
    t->between = ",\n";
    return t->st == ST_OK;
}

static enum status add_transcript(struct buf *out, const struct record *r)
{
    struct transcript t = {out, "", ST_OK};
    t.st = buf_add_str(out, "\"transcript\":[\n");
    if (t.st == ST_OK) {
        report_each_line(r, add_line, &t);
    }
    return t.st == ST_OK ? buf_add_str(out, "]}\n") : t.st;
}

static json_t *replay_json(const struct replay_progress *p)
{
    json_t *o = json_object();
    if (o != NULL && put(o, "state", json_string(replay_state_name(p->state))) &&
        put(o, "step", json_integer(p->step)) && put(o, "count", json_integer(p->count)) &&
        put(o, "line", json_integer(p->source)) &&
        put(o, "expected", p->expected != 0 ? json_integer(p->expected) : json_null()) &&
        put(o, "got", p->got != 0 ? json_integer(p->got) : json_null())) {
        return o;
    }
    json_decref(o);
    return NULL;
}

/* All but the transcript. */
static json_t *head_json(const struct record *r, const struct report_options *o)
{
    char started[32];
    clock_iso8601(r->started_wall_us, started, sizeof(started));
    uint64_t dropped = lines_dropped(r->lines);
    size_t findings = r->findings_dropped;
    json_t *root = json_object();
    if (root != NULL && put(root, "schema", json_string("smtpscope.report/1")) &&
        put(root, "tool", tool_json()) && put(root, "demo", json_boolean(r->demo)) &&
        put(root, "started", json_string(started)) &&
        put(root, "elapsed_ms", report_json_ms(r->elapsed_us)) &&
        put(root, "target", target_json(r, o->plan)) &&
        put(root, "options", report_json_options(o->plan)) &&
        put(root, "self", report_json_self(r->path_count > 0 ? r->paths[0] : NULL)) &&
        put(root, "verdict", json_string(verdict_name(r->verdict))) &&
        put(root, "checks", checks_json(r, o->english_guide)) &&
        put(root, "paths", paths_json(r)) && put(root, "dns", report_json_answers(r)) &&
        put(root, "connections", report_json_dials(r)) &&
        (dropped == 0 || put(root, "lines_dropped", json_integer((json_int_t)dropped))) &&
        (r->replay.state == REPLAY_IDLE || put(root, "replay", replay_json(&r->replay))) &&
        (findings == 0 || put(root, "findings_dropped", json_integer((json_int_t)findings)))) {
        return root;
    }
    json_decref(root);
    return NULL;
}

enum status report_json(const struct record *r, const struct report_options *o, struct buf *out)
{
    json_t *head = head_json(r, o);
    if (head == NULL) {
        return ST_NOMEM;
    }
    enum status st = buf_add_str(out, "{");
    const char *key;
    json_t *value;
    json_object_foreach(head, key, value)
    {
        if (st == ST_OK) {
            st = buf_addf(out, "\"%s\":", key);
        }
        if (st == ST_OK) {
            st = report_json_dump(out, json_incref(value));
        }
        if (st == ST_OK) {
            st = buf_add_str(out, ",\n");
        }
    }
    json_decref(head);
    return st == ST_OK ? add_transcript(out, r) : st;
}
