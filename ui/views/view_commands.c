#include <stdio.h>
#include <string.h>

#include "text.h"
#include "views.h"

/* A word for a shell: single quotes around anything but plain characters, so that pasting is safe. */
static enum status add_word(struct buf *out, const char *word)
{
    size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:@_-/+=");
    if (word[0] != '\0' && word[plain] == '\0') {
        return buf_add_str(out, word);
    }
    enum status status = buf_add_char(out, '\'');
    for (const char *p = word; *p != '\0' && status == ST_OK; p++) {
        status = *p == '\'' ? buf_add_str(out, "'\\''") : (unsigned char)*p < 0x20 || *p == 0x7f
                     ? ST_OK
                     : buf_add_char(out, *p);
    }
    return status == ST_OK ? buf_add_char(out, '\'') : status;
}

/* "dig %w MX": %w takes the next word, quoted. */
static enum status add_command(struct buf *out, const char *shape, const char *const *words)
{
    enum status status = ST_OK;
    for (const char *p = shape; *p != '\0' && status == ST_OK; p++) {
        if (p[0] == '%' && p[1] == 'w') {
            status = add_word(out, *words++);
            p++;
        } else {
            status = buf_add_char(out, *p);
        }
    }
    return status == ST_OK ? buf_add_char(out, '\n') : status;
}

enum status advice_commands(const struct app *a, enum check_id check, struct buf *out)
{
    const struct facts *path = record_path(&a->record);
    const char *domain = a->plan.domain != NULL ? a->plan.domain : "example.org";
    char address[NET_ADDRESS_TEXT] = "", port[8], server[400], own[NET_ADDRESS_TEXT] = "";
    snprintf(port, sizeof(port), "%u", (unsigned)plan_port(&a->plan));
    if (path != NULL && path->address.family != 0) {
        net_address_format(&path->address, address, sizeof(address));
    }
    const char *host = path != NULL && path->mx != NULL ? path->mx
                       : a->plan.host != NULL           ? a->plan.host
                       : address[0] != '\0'             ? address
                                                        : domain;
    const char *helo = path != NULL && path->ehlo_name != NULL ? path->ehlo_name : "localhost";
    if (a->record.path_count > 0 && a->record.paths[0] != NULL &&
        a->record.paths[0]->own_address != NULL) {
        str_copy(own, sizeof(own), a->record.paths[0]->own_address);
    }
    snprintf(server, sizeof(server), "%s:%s", host, port);
    bool implicit = plan_tls_effective(&a->plan) == PLAN_TLS_IMPLICIT;
    const char *tls = implicit ? "--tls-on-connect" : a->plan.tls == PLAN_TLS_NONE ? "" : "-tls";
    char shape[160];
    switch (check) {
    case CHECK_DNS_MX:
        return add_command(out, "dig %w MX", (const char *const[]){domain});
    case CHECK_DNS_ADDRESS: {
        enum status status = add_command(out, "dig %w A", (const char *const[]){host});
        return status != ST_OK ? status : add_command(out, "dig %w AAAA", (const char *const[]){host});
    }
    case CHECK_SELF_ADDRESS:
        return add_command(out, "dig @resolver1.opendns.com myip.opendns.com A", NULL);
    case CHECK_SELF_PTR:
        return add_command(out, "dig -x %w", (const char *const[]){own[0] != '\0' ? own : "192.0.2.1"});
    case CHECK_STARTTLS:
    case CHECK_CERTIFICATE:
        return implicit ? add_command(out, "openssl s_client -connect %w -servername %w -showcerts",
                                      (const char *const[]){server, host})
                        : add_command(out,
                                      "openssl s_client -starttls smtp -connect %w -servername %w -showcerts",
                                      (const char *const[]){server, host});
    case CHECK_RELAY:
        snprintf(shape, sizeof(shape), "swaks --server %%w --helo %%w %s --to relay-check@example.org --quit-after RCPT", tls);
        return add_command(out, shape, (const char *const[]){server, helo});
    case CHECK_AUTH:
        snprintf(shape, sizeof(shape), "swaks --server %%w --helo %%w %s --auth --auth-user %%w --quit-after AUTH", tls);
        return add_command(out, shape,
                           (const char *const[]){server, helo, a->plan.auth_user != NULL ? a->plan.auth_user : "user@example.org"});
    case CHECK_SEND:
        snprintf(shape, sizeof(shape), "swaks --server %%w --helo %%w %s --to %%w", tls);
        return add_command(out, shape,
                           (const char *const[]){server, helo, a->plan.to != NULL ? a->plan.to : "postmaster@example.org"});
    default:
        snprintf(shape, sizeof(shape), "swaks --server %%w --helo %%w --quit-after EHLO");
        return add_command(out, shape, (const char *const[]){server, helo});
    }
}
