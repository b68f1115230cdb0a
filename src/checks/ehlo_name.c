#include "ehlo_name.h"

#include <stdio.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

/* True when the name that this machine calls itself leads back to it. */
static enum status host_name_is_ours(struct check_context *c, const char *name, bool *ours)
{
    struct dns_question ask = {.name = name, .type = c->own_address.family == 6 ? DNS_AAAA : DNS_A};
    *ours = false;
    if (strchr(name, '.') == NULL || !dns_name_is_host(name, false) || c->own_address.family == 0) {
        return ST_OK;
    }
    dns_answer_init(&ask.answer);
    enum status st = check_ask_all(c, &ask, 1);
    for (size_t i = 0; st == ST_OK && i < ask.answer.count; i++) {
        *ours = *ours || net_address_same_host(&ask.answer.records[i].u.address, &c->own_address);
    }
    dns_answer_free(&ask.answer);
    return st;
}

/* RFC 5321 4.1.3. Behind a translator that we know nothing of, the inner address is the honest one.
 */
void ehlo_name_literal(const struct check_context *c, char *out, size_t size)
{
    char text[NET_ADDRESS_TEXT];
    struct net_address a = c->own_address;
    if (a.family == 0) {
        a = c->own_local;
    }
    if (a.family == 0) {
        a = c->facts.local;
    }
    if (a.family == 0) {
        a = (struct net_address){.family = 4, .bytes = {127, 0, 0, 1}};
    }
    a.scope = 0;
    net_address_format(&a, text, sizeof(text));
    snprintf(out, size, a.family == 6 ? "[IPv6:%s]" : "[%s]", text);
}

enum status ehlo_name_choose(struct check_context *c)
{
    char host[256];
    bool ours = false;
    if (c->plan->helo != NULL) {
        str_copy(c->ehlo_name, sizeof(c->ehlo_name), c->plan->helo);
        check_note(c, _("EHLO name: %s, as you said"), c->ehlo_name);
        return ST_OK;
    }
    const char *ptr = c->domain_facts.own_ptr;
    if (c->own_ptr_confirmed && ptr != NULL && strchr(ptr, '.') != NULL &&
        dns_name_is_host(ptr, false)) {
        str_copy(c->ehlo_name, sizeof(c->ehlo_name), ptr);
        check_note(c, _("EHLO name: %s, the confirmed reverse name of our address"), c->ehlo_name);
        return ST_OK;
    }
    c->net->ops->host_name(c->net, host, sizeof(host));
    enum status st = host_name_is_ours(c, host, &ours);
    if (st != ST_OK) {
        return st;
    }
    if (ours) {
        str_copy(c->ehlo_name, sizeof(c->ehlo_name), host);
        check_note(c, _("EHLO name: %s, the name of this machine, which leads to its address"),
                   c->ehlo_name);
        return ST_OK;
    }
    ehlo_name_literal(c, c->ehlo_name, sizeof(c->ehlo_name));
    check_note(c, _("EHLO name: %s, the address, because no name is known to lead here"),
               c->ehlo_name);
    return ST_OK;
}
