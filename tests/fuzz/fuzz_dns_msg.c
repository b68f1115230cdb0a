/*
 * Any octets as the reply of a name server: the reader must come to a verdict, keep its promises
 * about what it keeps, and free all of it. The question is taken from the message itself where it
 * has one, so that the corpus needs no side channel.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "dns_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

/* Names are shown to people later on: nothing but printable ASCII may come out. */
static void require_printable(const char *name)
{
    require(name != NULL && strlen(name) < DNS_NAME_MAX);
    for (; *name != '\0'; name++) {
        require(*name > ' ' && *name <= '~');
    }
}

static void check_record(const struct dns_record *r)
{
    require_printable(r->owner);
    switch (r->type) {
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        require_printable(r->u.name);
        break;
    case DNS_MX:
        require_printable(r->u.mx.exchange);
        break;
    case DNS_SRV:
        require_printable(r->u.srv.target);
        break;
    case DNS_SOA:
        require_printable(r->u.soa.mname);
        require_printable(r->u.soa.rname);
        break;
    case DNS_TXT:
        require(r->u.txt.len <= DNS_TXT_MAX && r->u.txt.text[r->u.txt.len] == '\0');
        break;
    default:
        break;
    }
}

static void check_answer(const struct dns_answer *a, uint16_t type)
{
    require(a->count <= DNS_RECORDS_MAX && a->cnames <= DNS_CNAME_MAX);
    require(a->result != DNS_ANSWER || a->count > 0);
    require(a->result != DNS_MALFORMED || (a->count == 0 && a->authority == NULL));
    require_printable(a->final_name);
    for (size_t i = 0; i < a->count; i++) {
        check_record(&a->records[i]);
        require(a->records[i].type == type);
        require(dns_name_equal(a->records[i].owner, a->final_name));
    }
    if (a->authority != NULL) {
        check_record(a->authority);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[DNS_NAME_MAX] = "example.org";
    uint16_t type = DNS_MX, class = DNS_CLASS_IN, id = 0;
    if (size >= DNS_HEADER_SIZE) {
        char asked[DNS_NAME_MAX];
        int used =
            ns_name_uncompress(data, data + size, data + DNS_HEADER_SIZE, asked, sizeof(asked));
        id = (uint16_t)ns_get16(data);
        if (used > 0 && size - DNS_HEADER_SIZE - (size_t)used >= 4) {
            memcpy(name, asked, sizeof(name));
            type = (uint16_t)ns_get16(data + DNS_HEADER_SIZE + used);
            class = (uint16_t)ns_get16(data + DNS_HEADER_SIZE + used + 2);
        }
    }
    (void)dns_msg_is_reply(data, size, id, name, type, class);

    struct dns_answer answer;
    dns_answer_init(&answer);
    if (dns_msg_parse(&answer, data, size, name, type) == ST_OK) {
        check_answer(&answer, type);
    }
    dns_answer_free(&answer);
    return 0;
}
