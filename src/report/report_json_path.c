#include "report_json.h"

#include <string.h>

#define put report_json_put

static json_t *capabilities(const char *text)
{
    json_t *array = json_array();
    while (array != NULL && text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        if (json_array_append_new(array, report_json_bytes(text, len)) != 0) {
            json_decref(array);
            return NULL;
        }
        text += len;
        text += *text == '\n' ? 1 : 0;
    }
    return array;
}

static json_t *timings(const struct facts *f)
{
    json_t *object = json_object();
    for (int t = 0; object != NULL && t < TIMING_COUNT; t++) {
        const struct timing_span *span = &f->timings[t];
        if (span->start_us >= 0 &&
            !put(object, timing_key((enum timing)t), report_json_ms(span->length_us))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *names(const struct tls_facts *tls)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < tls->name_count; i++) {
        if (json_array_append_new(array, report_json_string(tls->names[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? report_json_string(text) : json_null();
}

static json_t *moment(int64_t seconds)
{
    char text[32];
    clock_iso8601(seconds * US_PER_S, text, sizeof(text));
    return json_string(text);
}

static json_t *not_after(const struct tls_facts *tls)
{
    return tls->chain_count > 0 ? moment(tls->chain[0].not_after) : json_null();
}

/* Each reason once, in the order in which they were found. */
static json_t *errors(const struct tls_facts *tls)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < tls->error_count; i++) {
        bool known = false;
        for (size_t k = 0; k < i; k++) {
            known = known || tls->errors[k].reason == tls->errors[i].reason;
        }
        if (!known && json_array_append_new(
                          array, json_string(tls_reason_name(tls->errors[i].reason))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *leaf_json(const struct tls_facts *tls)
{
    if (tls->chain_count == 0) {
        return json_null();
    }
    const struct tls_cert *leaf = &tls->chain[0];
    json_t *o = json_object();
    if (o != NULL && put(o, "subject", report_json_string(leaf->subject)) &&
        put(o, "issuer", report_json_string(leaf->issuer)) &&
        put(o, "not_before", moment(leaf->not_before)) && put(o, "key", json_string(leaf->key)) &&
        put(o, "signature", json_string(leaf->signature))) {
        return o;
    }
    json_decref(o);
    return NULL;
}

static json_t *tls_json(const struct tls_facts *tls)
{
    if (tls == NULL) {
        return json_null();
    }
    bool reason = tls->reason != TLS_REASON_NONE;
    json_t *o = json_object();
    if (o != NULL && put(o, "done", json_boolean(tls->done)) &&
        put(o, "version", text_or_null(tls->version)) &&
        put(o, "cipher", text_or_null(tls->cipher)) &&
        put(o, "group", text_or_null(tls->group)) && put(o, "sni", text_or_null(tls->sni)) &&
        put(o, "verified", json_boolean(tls->verified)) &&
        put(o, "reason", reason ? json_string(tls_reason_name(tls->reason)) : json_null()) &&
        put(o, "errors", errors(tls)) &&
        put(o, "alert", tls->alert >= 0 ? json_integer(tls->alert) : json_null()) &&
        put(o, "not_after", not_after(tls)) && put(o, "names", names(tls)) &&
        put(o, "certificate", leaf_json(tls)) && put(o, "dane", json_null()) &&
        put(o, "mta_sts", json_null())) {
        return o;
    }
    json_decref(o);
    return NULL;
}

json_t *report_json_address(const struct net_address *a)
{
    char text[NET_ADDRESS_TEXT];
    if (a->family == 0) {
        return json_null();
    }
    net_address_format(a, text, sizeof(text));
    return report_json_string(text);
}

json_t *report_json_path(const struct facts *f)
{
    const struct net_address *a = &f->address;
    json_t *o = json_object();
    if (o != NULL && put(o, "id", json_integer(f->path)) &&
        put(o, "mx", report_json_string(f->mx)) &&
        put(o, "preference", f->preference >= 0 ? json_integer(f->preference) : json_null()) &&
        put(o, "address", report_json_address(a)) &&
        put(o, "family", a->family != 0 ? json_integer(a->family) : json_null()) &&
        put(o, "port", json_integer(a->port)) && put(o, "mode", text_or_null(f->mode)) &&
        put(o, "ptr", report_json_string(f->ptr)) &&
        put(o, "banner", report_json_string(f->banner)) &&
        put(o, "ehlo_name", report_json_string(f->ehlo_name)) &&
        put(o, "capabilities", capabilities(f->capabilities)) && put(o, "timings_ms", timings(f)) &&
        put(o, "tls", tls_json(f->tls))) {
        return o;
    }
    json_decref(o);
    return NULL;
}
