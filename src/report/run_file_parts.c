#include "run_file_json.h"

#include <stdlib.h>
#include <string.h>

#define LIST_TEXT_MAX ((size_t)1 << 20)

static const char *verdict_at(size_t i)
{
    return verdict_name((enum verdict)i);
}

static const char *side_at(size_t i)
{
    return side_name((enum side)i);
}

static const char *class_at(size_t i)
{
    return reply_class_name((enum reply_class)i);
}

static const char *who_at(size_t i)
{
    return who_name((enum who)i);
}

static const char *confidence_at(size_t i)
{
    return confidence_name((enum confidence)i);
}

static const char *reason_at(size_t i)
{
    return tls_reason_name((enum tls_reason)i);
}

static enum status read_args(struct run_reader *r, const json_t *o, struct finding *f)
{
    const json_t *args = NULL;
    enum status st = run_object(r, o, "args", &args);
    if (st != ST_OK || args == NULL) {
        return st;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)args, key, value)
    {
        if (!json_is_string(value)) {
            return run_bad(r, "args");
        }
        if (strlen(key) < sizeof(f->args[0].name) && f->arg_count < FINDING_ARGS_MAX) {
            finding_arg_span(f, key, json_string_value(value), json_string_length(value));
        }
    }
    return ST_OK;
}

static enum status read_evidence(struct run_reader *r, const json_t *o, struct finding *f)
{
    const json_t *list = NULL;
    enum status st = run_list(r, o, "evidence", &list);
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const json_t *n = json_array_get(list, i);
        if (!json_is_integer(n) || json_integer_value(n) < 1 ||
            json_integer_value(n) > UINT32_MAX) {
            return run_bad(r, "evidence");
        }
        finding_evidence(f, (uint32_t)json_integer_value(n));
    }
    return st;
}

static enum status read_judgement(struct run_reader *r, const json_t *o, struct finding *f)
{
    size_t verdict = f->verdict, class = CLASS_NONE, who = f->who, confidence = f->confidence;
    enum status st = run_word(r, o, "verdict", verdict_at, VERDICT_FAIL + 1, &verdict);
    if (st == ST_OK) {
        st = run_word(r, o, "class", class_at, CLASS_NETWORK + 1, &class);
    }
    if (st == ST_OK) {
        st = run_word(r, o, "who", who_at, WHO_TOOL + 1, &who);
    }
    if (st == ST_OK) {
        st = run_word(r, o, "confidence", confidence_at, CONFIDENCE_CERTAIN + 1, &confidence);
    }
    f->verdict = (enum verdict)verdict;
    f->class = (enum reply_class) class;
    f->who = (enum who)who;
    f->confidence = (enum confidence)confidence;
    return st;
}

static enum status read_finding(struct run_reader *r, const json_t *o, enum check_id check)
{
    struct record *record = &r->f->record;
    char id[64] = "";
    if (!json_is_object(o)) {
        return run_bad(r, "findings");
    }
    enum status st = run_text(r, o, "id", id, sizeof(id));
    if (st != ST_OK) {
        return st;
    }
    if (finding_find(id) == NULL || record->finding_count == RECORD_FINDINGS_MAX) {
        record->findings_dropped++;
        return ST_OK;
    }
    struct record_finding *grown =
        realloc(record->findings, (record->finding_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    record->findings = grown;
    struct record_finding *rf = &grown[record->finding_count++];
    *rf = (struct record_finding){.check = check, .path = record->steps[check].path};
    finding_init(&rf->f, id);
    st = read_judgement(r, o, &rf->f);
    if (st == ST_OK) {
        st = read_args(r, o, &rf->f);
    }
    return st == ST_OK ? read_evidence(r, o, &rf->f) : st;
}

static enum status read_check(struct run_reader *r, const json_t *o)
{
    enum check_id check, because;
    int64_t path = 0;
    size_t verdict = VERDICT_PENDING, side = SIDE_NONE;
    const json_t *findings = NULL;
    if (!json_is_object(o)) {
        return run_bad(r, "checks");
    }
    enum status st = run_check(r, o, "id", &check);
    if (st != ST_OK || check == CHECK_NONE) {
        return st;
    }
    struct record_step *step = &r->f->record.steps[check];
    st = run_word(r, o, "verdict", verdict_at, VERDICT_FAIL + 1, &verdict);
    if (st == ST_OK) {
        st = run_check(r, o, "because", &because);
    }
    if (st == ST_OK) {
        step->because = because;
        st = run_word(r, o, "side", side_at, SIDE_THEIRS + 1, &side);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "path", 0, UINT16_MAX, &path);
    }
    if (st == ST_OK) {
        st = run_ms(r, o, "ms", &step->elapsed_us);
    }
    if (st == ST_OK) {
        st = run_list(r, o, "findings", &findings);
    }
    step->verdict = (enum verdict)verdict;
    step->path = (uint16_t)path;
    size_t first = r->f->record.finding_count;
    for (size_t i = 0; st == ST_OK && i < json_array_size(findings); i++) {
        st = read_finding(r, json_array_get(findings, i), check);
    }
    for (size_t i = first; st == ST_OK && i < r->f->record.finding_count; i++) {
        struct finding *f = &r->f->record.findings[i].f;
        f->side = f->verdict == VERDICT_INCONCLUSIVE ? (enum side)side : SIDE_NONE;
    }
    return st;
}

enum status run_read_checks(struct run_reader *r, const json_t *list)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        st = read_check(r, json_array_get(list, i));
    }
    return st;
}

static enum status read_names(struct run_reader *r, const json_t *o, struct tls_facts *t)
{
    const json_t *list = NULL;
    enum status st = run_list(r, o, "names", &list);
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);
        if (!json_is_string(name)) {
            return run_bad(r, "names");
        }
        if (t->name_count < TLS_NAMES_MAX) {
            str_copy(t->names[t->name_count++], TLS_NAME_TEXT, json_string_value(name));
        }
        t->name_total++;
    }
    return st;
}

static enum status read_errors(struct run_reader *r, const json_t *o, struct tls_facts *t)
{
    const json_t *list = NULL;
    enum status st = run_list(r, o, "errors", &list);
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        for (size_t k = 0; text != NULL && k <= TLS_REASON_TIMEOUT; k++) {
            if (strcmp(text, reason_at(k)) == 0 && t->error_count < TLS_ERRORS_MAX) {
                t->errors[t->error_count++].reason = (enum tls_reason)k;
            }
        }
    }
    return st;
}

static enum status read_leaf(struct run_reader *r, const json_t *o, struct tls_facts *t)
{
    const json_t *leaf = NULL;
    struct tls_cert *c = &t->chain[0];
    int64_t until = INT64_MIN;
    enum status st = run_time(r, o, "not_after", &until);
    if (st == ST_OK) {
        st = run_object(r, o, "certificate", &leaf);
    }
    if (st != ST_OK || until == INT64_MIN) {
        return st;
    }
    t->chain_count = 1;
    c->not_after = c->not_before = until;
    if (leaf == NULL) {
        return ST_OK;
    }
    st = run_time(r, leaf, "not_before", &c->not_before);
    if (st == ST_OK) {
        st = run_text(r, leaf, "subject", c->subject, sizeof(c->subject));
    }
    if (st == ST_OK) {
        st = run_text(r, leaf, "issuer", c->issuer, sizeof(c->issuer));
    }
    if (st == ST_OK) {
        st = run_text(r, leaf, "key", c->key, sizeof(c->key));
    }
    return st == ST_OK ? run_text(r, leaf, "signature", c->signature, sizeof(c->signature)) : st;
}

static enum status read_tls(struct run_reader *r, const json_t *o, struct facts *f)
{
    size_t reason = TLS_REASON_NONE;
    int64_t alert = -1;
    struct tls_facts *t = f->tls = calloc(1, sizeof(*t));
    if (t == NULL) {
        return ST_NOMEM;
    }
    f->tls_tried = true;
    enum status st = run_text(r, o, "version", t->version, sizeof(t->version));
    if (st == ST_OK) {
        t->done = t->version[0] != '\0';
        st = run_bool(r, o, "done", &t->done);
    }
    if (st == ST_OK) {
        st = run_text(r, o, "cipher", t->cipher, sizeof(t->cipher));
    }
    if (st == ST_OK) {
        st = run_text(r, o, "group", t->group, sizeof(t->group));
    }
    if (st == ST_OK) {
        st = run_text(r, o, "sni", t->sni, sizeof(t->sni));
    }
    if (st == ST_OK) {
        st = run_bool(r, o, "verified", &t->verified);
    }
    if (st == ST_OK) {
        st = run_word(r, o, "reason", reason_at, TLS_REASON_TIMEOUT + 1, &reason);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "alert", 0, 255, &alert);
    }
    t->reason = (enum tls_reason)reason;
    t->alert = (int)alert;
    if (st == ST_OK) {
        st = read_errors(r, o, t);
    }
    if (st == ST_OK) {
        st = read_names(r, o, t);
    }
    return st == ST_OK ? read_leaf(r, o, t) : st;
}

static enum status read_capabilities(struct run_reader *r, const json_t *o, struct facts *f)
{
    const json_t *list = NULL;
    struct buf text;
    enum status st = run_list(r, o, "capabilities", &list);
    buf_init(&text, LIST_TEXT_MAX);
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word == NULL) {
            st = run_bad(r, "capabilities");
        } else if (i > 0) {
            st = buf_add_char(&text, '\n');
        }
        if (st == ST_OK) {
            st = buf_add_str(&text, word);
        }
    }
    if (st == ST_OK && text.len > 0) {
        st = str_set(&f->capabilities, buf_str(&text));
    }
    buf_free(&text);
    return st == ST_LIMIT ? run_bad(r, "capabilities") : st;
}

static enum status read_timings(struct run_reader *r, const json_t *o, struct facts *f)
{
    const json_t *timings = NULL;
    enum status st = run_object(r, o, "timings_ms", &timings);
    for (int t = 0; st == ST_OK && t < TIMING_COUNT; t++) {
        int64_t us = -1;
        st = run_ms(r, timings, timing_key((enum timing)t), &us);
        if (st == ST_OK && us >= 0) {
            f->timings[t] = (struct timing_span){.start_us = 0, .length_us = us};
        }
    }
    return st;
}

static enum status read_path_fields(struct run_reader *r, const json_t *o, struct facts *f)
{
    int64_t preference = -1, port = 0;
    const json_t *tls = NULL;
    struct {
        const char *key;
        char **slot;
    } const texts[] = {
        {"mx", &f->mx}, {"ptr", &f->ptr}, {"banner", &f->banner}, {"ehlo_name", &f->ehlo_name}};
    enum status st = run_integer(r, o, "preference", 0, UINT16_MAX, &preference);
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(texts); i++) {
        st = run_string(r, o, texts[i].key, LINE_KEPT_MAX, texts[i].slot);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "address", &f->address);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "port", 0, UINT16_MAX, &port);
    }
    if (st == ST_OK) {
        st = run_text(r, o, "mode", f->mode, sizeof(f->mode));
    }
    f->preference = (int)preference;
    f->address.port = (uint16_t)port;
    if (st == ST_OK) {
        st = read_capabilities(r, o, f);
    }
    if (st == ST_OK) {
        st = read_timings(r, o, f);
    }
    if (st == ST_OK) {
        st = run_object(r, o, "tls", &tls);
    }
    return st == ST_OK && tls != NULL ? read_tls(r, tls, f) : st;
}

static enum status read_path(struct run_reader *r, const json_t *o)
{
    struct record *record = &r->f->record;
    int64_t id = 0;
    if (!json_is_object(o)) {
        return run_bad(r, "paths");
    }
    enum status st = run_integer(r, o, "id", 1, UINT16_MAX, &id);
    if (st != ST_OK || id == 0 || id >= RECORD_PATHS_MAX || record->paths[id] != NULL) {
        return st;
    }
    struct facts *f = record->paths[id] = calloc(1, sizeof(*f));
    if (f == NULL) {
        return ST_NOMEM;
    }
    facts_init(f, (uint16_t)id);
    if (record->path_count <= (size_t)id) {
        record->path_count = (size_t)id + 1;
    }
    return read_path_fields(r, o, f);
}

enum status run_read_paths(struct run_reader *r, const json_t *list)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        st = read_path(r, json_array_get(list, i));
    }
    return st;
}
