#include "practice_session.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proxy_header.h"

#define VALUE_MAX 256

enum status session_proxy(struct session *s)
{
    struct proxy_header header;
    enum status st = proxy_header_read(buf_str(&s->in), s->in.len, &header);
    if (st != ST_OK) {
        return st;
    }
    unsigned kind = header.version == 2 ? SERVER_PROXY_V2 : SERVER_PROXY_V1;
    if ((s->server->proxy & kind) == 0) {
        return ST_INVALID;
    }
    char text[64];
    int n = snprintf(text, sizeof(text), "<proxy v%d>", header.version);
    world_log(s->w, s->number, false, text, (size_t)n);
    if (!header.unknown) {
        s->client = header.source;
    }
    buf_drop_front(&s->in, header.len);
    return ST_OK;
}

/* The attribute at *p, "NAME=VALUE"; moves behind it. False at the end. */
static bool next_attribute(const char **p, char *name, char *value)
{
    *p += strspn(*p, " ");
    size_t n = strcspn(*p, " ");
    if (n == 0) {
        return false;
    }
    size_t head = strcspn(*p, "= ");
    size_t name_len = head < VALUE_MAX ? head : VALUE_MAX - 1;
    memcpy(name, *p, name_len);
    name[name_len] = '\0';
    const char *rest = head < n ? *p + head + 1 : *p + n;
    size_t rest_len = (size_t)(*p + n - rest);
    size_t value_len = rest_len < VALUE_MAX ? rest_len : VALUE_MAX - 1;
    memcpy(value, rest, value_len);
    value[value_len] = '\0';
    *p += n;
    return true;
}

static bool is_offered(const struct session *s, const char *name)
{
    const char *offered = "";
    size_t n = strlen(name);
    if (!session_offers(s, "XCLIENT", &offered)) {
        return false;
    }
    while (*offered != '\0') {
        size_t len = strcspn(offered, " ");
        if (len == n && strncasecmp(offered, name, n) == 0) {
            return true;
        }
        offered += len;
        offered += strspn(offered, " ");
    }
    return false;
}

/* As Postfix answers: the greeting again, as for the client that was named. */
void session_xclient(struct session *s)
{
    char name[VALUE_MAX];
    char value[VALUE_MAX];
    const char *p = session_argument(s);
    if (!session_offers(s, "XCLIENT", NULL)) {
        session_reply(s, "550 5.7.0 Error: insufficient authorization");
        return;
    }
    if (s->in_mail) {
        session_reply(s, "503 5.5.1 Error: MAIL transaction in progress");
        return;
    }
    if (*p == '\0') {
        session_reply(s, "501 5.5.4 Syntax: XCLIENT attribute=value...");
        return;
    }
    while (next_attribute(&p, name, value)) {
        if (!is_offered(s, name)) {
            session_reply(s, "501 5.5.4 Bad XCLIENT attribute name: %s", name);
            return;
        }
    }
    session_text(s, s->server->banner != NULL ? s->server->banner : "220 {host} ESMTP {software}",
                 true);
}

void session_xclient_effect(struct session *s)
{
    char name[VALUE_MAX];
    char value[VALUE_MAX];
    struct net_address address;
    const char *p = session_argument(s);
    while (next_attribute(&p, name, value)) {
        const char *text = strncasecmp(value, "IPV6:", 5) == 0 ? value + 5 : value;
        if (strcasecmp(name, "ADDR") == 0 && net_address_parse(text, &address)) {
            s->client = address;
        }
    }
    s->said_hello = false;
    s->logged_in = false;
    buf_clear(&s->helo);
}
