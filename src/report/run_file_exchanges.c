#include "run_file_json.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "report_json.h"

static const char *result_at(size_t i)
{
    return dns_result_name((enum dns_result)i);
}

static enum status read_answer_fields(struct run_reader *r, const json_t *o, struct dns_facts *f)
{
    char type[16] = "";
    size_t result = DNS_OTHER_RCODE;
    int64_t dropped = 0, ede = -1;
    const json_t *records = NULL;
    enum status st = run_string(r, o, "name", DNS_NAME_MAX, &f->name);
    if (st == ST_OK && f->name == NULL) {
        st = run_bad(r, "name");
    }
    if (st == ST_OK) {
        st = run_text(r, o, "type", type, sizeof(type));
    }
    if (st == ST_OK) {
        st = run_word(r, o, "result", result_at, DNS_OTHER_RCODE + 1, &result);
    }
    if (st == ST_OK) {
        st = run_string(r, o, "alias", DNS_NAME_MAX, &f->alias);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "server", &f->server);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "dropped", 0, UINT32_MAX, &dropped);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "ede", 0, UINT16_MAX, &ede);
    }
    if (st == ST_OK) {
        st = run_ms(r, o, "ms", &f->elapsed_us);
    }
    struct {
        const char *key;
        bool *slot;
    } const flags[] = {{"direct", &f->direct},
                       {"checking_disabled", &f->checking_disabled},
                       {"authentic", &f->authentic},
                       {"tcp", &f->over_tcp}};
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(flags); i++) {
        st = run_bool(r, o, flags[i].key, flags[i].slot);
    }
    f->type = dns_facts_type(type);
    f->result = (enum dns_result)result;
    f->dropped = (size_t)dropped;
    f->ede = (int)ede;
    if (st == ST_OK) {
        st = run_list(r, o, "records", &records);
    }
    for (size_t i = 0; st == ST_OK && i < json_array_size(records); i++) {
        const char *text = json_string_value(json_array_get(records, i));
        st = text != NULL && strlen(text) <= DNS_FACTS_TEXT_MAX ? dns_facts_add(f, text)
                                                                : run_bad(r, "records");
    }
    return st;
}

enum status run_read_answers(struct run_reader *r, const json_t *list)
{
    struct record *record = &r->f->record;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        if (record->answer_count == RECORD_ANSWERS_MAX) {
            record->answers_dropped++;
            continue;
        }
        struct record_answer *grown =
            realloc(record->answers, (record->answer_count + 1) * sizeof(*grown));
        if (grown == NULL) {
            return ST_NOMEM;
        }
        record->answers = grown;
        struct record_answer *a = &grown[record->answer_count++];
        *a = (struct record_answer){.check = CHECK_NONE, .f.ede = -1};
        st = json_is_object(o) ? run_check(r, o, "check", &a->check) : run_bad(r, "dns");
        if (st == ST_OK) {
            st = read_answer_fields(r, o, &a->f);
        }
    }
    return st;
}

static enum status read_end(struct run_reader *r, const json_t *o, struct record_dial *d)
{
    char word[24] = "";
    enum status st = run_text(r, o, "end", word, sizeof(word));
    d->ended = word[0] != '\0';
    d->why = report_dial_end_of(word);
    return st;
}

static enum status read_result(struct run_reader *r, const json_t *o, struct dial_facts *f)
{
    char word[24] = "";
    enum status st = run_text(r, o, "result", word, sizeof(word));
    report_dial_result_of(word, f);
    return st;
}

static enum status read_dial(struct run_reader *r, const json_t *o, struct record_dial *d)
{
    int64_t path = 0, port = 0, line = 0, last = 0;
    enum status st = run_check(r, o, "check", &d->check);
    if (st == ST_OK) {
        st = run_integer(r, o, "path", 0, UINT16_MAX, &path);
    }
    if (st == ST_OK) {
        st = run_ms(r, o, "t_ms", &d->t_us);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "line", 0, UINT32_MAX, &line);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "last_line", 0, UINT32_MAX, &last);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "address", &d->f.to);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "local", &d->f.local);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "port", 1, UINT16_MAX, &port);
    }
    if (st == ST_OK) {
        st = run_ms(r, o, "ms", &d->f.elapsed_us);
    }
    if (st == ST_OK) {
        st = run_bool(r, o, "conversation", &d->talked);
    }
    if (st == ST_OK) {
        st = read_result(r, o, &d->f);
    }
    d->path = (uint16_t)path;
    d->f.to.port = (uint16_t)port;
    d->line = (uint32_t)line;
    d->last_line = (uint32_t)last;
    return st == ST_OK ? read_end(r, o, d) : st;
}

enum status run_read_dials(struct run_reader *r, const json_t *list)
{
    struct record *record = &r->f->record;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        if (record->dial_count == RECORD_DIALS_MAX) {
            record->dials_dropped++;
            continue;
        }
        struct record_dial *grown =
            realloc(record->dials, (record->dial_count + 1) * sizeof(*grown));
        if (grown == NULL) {
            return ST_NOMEM;
        }
        record->dials = grown;
        struct record_dial *d = &grown[record->dial_count++];
        *d = (struct record_dial){.check = CHECK_NONE};
        st = json_is_object(o) ? read_dial(r, o, d) : run_bad(r, "connections");
        /* Conversations follow each other. */
        if (st == ST_OK && record->dial_count > 1 && d->line < d[-1].line) {
            st = run_bad(r, "line");
        }
    }
    return st;
}

static enum status read_flags(struct run_reader *r, const json_t *o, struct line *line)
{
    const json_t *list = NULL;
    enum status st = run_list(r, o, "flags", &list);
    bool cut = false, raw = false;
    if (st == ST_OK) {
        st = run_bool(r, o, "cut", &cut);
    }
    if (st == ST_OK) {
        st = run_bool(r, o, "raw", &raw);
    }
    line->flags = (uint8_t)((cut ? LINE_CUT : 0) | (raw ? LINE_RAW : 0));
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        const char *name;
        uint8_t flag;
        for (size_t k = 0; text != NULL && (name = report_line_flag(k, &flag)) != NULL; k++) {
            line->flags |= strcmp(text, name) == 0 ? flag : 0;
        }
    }
    return st;
}

static enum status read_direction(struct run_reader *r, const json_t *o, struct line *line)
{
    static const struct {
        const char *word;
        enum smtp_dir dir;
    } words[] = {{"C", DIR_CLIENT}, {"S", DIR_SERVER}, {"tls", DIR_TLS}, {"note", DIR_NOTE}};
    char word[8] = "note";
    enum status st = run_text(r, o, "dir", word, sizeof(word));
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            line->dir = (uint8_t)words[i].dir;
            return ST_OK;
        }
    }
    return st == ST_OK ? run_bad(r, "dir") : st;
}

/* The exact bytes stand in base64 where the text could not hold them. */
static enum status add_line(struct run_reader *r, const json_t *o, struct line *line)
{
    struct buf raw;
    const json_t *text = json_object_get(o, "text");
    const json_t *exact = json_object_get(o, "base64");
    if (!json_is_string(text) || (exact != NULL && !json_is_string(exact))) {
        return run_bad(r, "text");
    }
    line->text = json_string_value(text);
    line->len = json_string_length(text);
    buf_init(&raw, LINE_KEPT_MAX);
    enum status st = ST_OK;
    if (exact != NULL) {
        st = base64_decode(&raw, json_string_value(exact), json_string_length(exact));
        st = st == ST_OK || st == ST_NOMEM ? st : run_bad(r, "base64");
        line->text = buf_str(&raw);
        line->len = raw.len;
    }
    if (st == ST_OK) {
        st = lines_add(r->f->record.lines, line);
        st = st == ST_INVALID ? run_bad(r, "n") : st;
    }
    buf_free(&raw);
    return st;
}

static enum status read_line(struct run_reader *r, const json_t *o, int64_t *last_us)
{
    int64_t number = 0, path = 0, t_us = 0;
    enum check_id check;
    struct line line = {.number = 0};
    if (!json_is_object(o)) {
        return run_bad(r, "transcript");
    }
    enum status st = run_integer(r, o, "n", 1, UINT32_MAX, &number);
    if (st == ST_OK) {
        st = run_integer(r, o, "path", 0, UINT16_MAX, &path);
    }
    if (st == ST_OK) {
        st = run_ms(r, o, "t_ms", &t_us);
    }
    if (st == ST_OK) {
        st = run_check(r, o, "check", &check);
    }
    if (st == ST_OK) {
        st = run_bool(r, o, "tls", &line.tls);
    }
    if (st == ST_OK) {
        st = read_direction(r, o, &line);
    }
    if (st == ST_OK) {
        st = read_flags(r, o, &line);
    }
    if (st != ST_OK) {
        return st;
    }
    *last_us = t_us > *last_us ? t_us : *last_us; /* the store wants time to pass forwards */
    line.number = (uint32_t)number;
    line.path = (uint16_t)path;
    line.t_us = *last_us;
    line.check = (uint8_t)check;
    st = add_line(r, o, &line);
    if (st == ST_OK && check < CHECK_COUNT) {
        struct record_step *step = &r->f->record.steps[check];
        step->first_line = step->first_line == 0 ? line.number : step->first_line;
        step->last_line = line.number;
    }
    return st;
}

enum status run_read_lines(struct run_reader *r, const json_t *list)
{
    enum status st = ST_OK;
    int64_t last_us = 0;
    for (size_t i = 0; st == ST_OK && i < json_array_size(list); i++) {
        st = read_line(r, json_array_get(list, i), &last_us);
    }
    return st;
}
