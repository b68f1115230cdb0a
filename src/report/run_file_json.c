#include "run_file_json.h"

#include <string.h>
#include <time.h>

/* A run of a year; far from what would overflow. */
#define MS_MAX (366.0 * 86400 * 1000)

enum status run_bad(struct run_reader *r, const char *key)
{
    r->bad = r->bad != NULL ? r->bad : key;
    return ST_INVALID;
}

/* The value, or NULL where it is missing or null. */
static const json_t *value_of(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);
    return json_is_null(value) ? NULL : value;
}

enum status run_string(struct run_reader *r, const json_t *o, const char *key, size_t max,
                       char **out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    if (!json_is_string(value) || json_string_length(value) > max) {
        return run_bad(r, key);
    }
    return str_set(out, json_string_value(value));
}

enum status run_text(struct run_reader *r, const json_t *o, const char *key, char *out, size_t size)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    if (!json_is_string(value)) {
        return run_bad(r, key);
    }
    str_copy(out, size, json_string_value(value));
    return ST_OK;
}

enum status run_integer(struct run_reader *r, const json_t *o, const char *key, int64_t min,
                        int64_t max, int64_t *out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < min || n > max) {
        return run_bad(r, key);
    }
    *out = n;
    return ST_OK;
}

enum status run_bool(struct run_reader *r, const json_t *o, const char *key, bool *out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    if (!json_is_boolean(value)) {
        return run_bad(r, key);
    }
    *out = json_is_true(value);
    return ST_OK;
}

enum status run_ms(struct run_reader *r, const json_t *o, const char *key, int64_t *out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    double ms = json_number_value(value);
    if (!json_is_number(value) || !(ms >= 0) || ms > MS_MAX) {
        return run_bad(r, key);
    }
    *out = (int64_t)(ms * 1000.0 + 0.5);
    return ST_OK;
}

enum status run_time(struct run_reader *r, const json_t *o, const char *key, int64_t *out)
{
    const json_t *value = value_of(o, key);
    struct tm tm = {0};
    if (value == NULL) {
        return ST_OK;
    }
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    time_t t = end != NULL && *end == '\0' ? timegm(&tm) : -1;
    if (t < 0) {
        return run_bad(r, key);
    }
    *out = t;
    return ST_OK;
}

enum status run_address(struct run_reader *r, const json_t *o, const char *key,
                        struct net_address *out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    return json_is_string(value) && net_address_parse(json_string_value(value), out)
               ? ST_OK
               : run_bad(r, key);
}

enum status run_word(struct run_reader *r, const json_t *o, const char *key,
                     const char *(*name_at)(size_t i), size_t count, size_t *out)
{
    const json_t *value = value_of(o, key);
    if (value == NULL) {
        return ST_OK;
    }
    for (size_t i = 0; json_is_string(value) && i < count; i++) {
        const char *name = name_at(i);
        if (name != NULL && strcmp(json_string_value(value), name) == 0) {
            *out = i;
            return ST_OK;
        }
    }
    return run_bad(r, key);
}

enum status run_list(struct run_reader *r, const json_t *o, const char *key, const json_t **out)
{
    *out = value_of(o, key);
    return *out == NULL || json_is_array(*out) ? ST_OK : run_bad(r, key);
}

enum status run_object(struct run_reader *r, const json_t *o, const char *key, const json_t **out)
{
    *out = value_of(o, key);
    return *out == NULL || json_is_object(*out) ? ST_OK : run_bad(r, key);
}

enum status run_check(struct run_reader *r, const json_t *o, const char *key, enum check_id *out)
{
    const json_t *value = value_of(o, key);
    *out = CHECK_NONE;
    if (value == NULL) {
        return ST_OK;
    }
    if (!json_is_string(value)) {
        return run_bad(r, key);
    }
    const struct check *check = check_find(json_string_value(value));
    *out = check != NULL ? check->id : CHECK_NONE;
    return ST_OK;
}
