/*
 * tls: TLS over any net_conn, with everything noticed that a verdict may need.
 *
 * The handshake does not stop at certificate errors: all errors of the chain are collected, and
 * the facts say whether the peer was verified. Nor does it stop at what is old: TLS 1.0 and weak
 * keys connect, so that they can be told; a weak certificate is TLS_REASON_WEAK (judged at OpenSSL's
 * level 2), an old version or cipher is for the reader of `version` and `cipher`. OpenSSL never
 * touches a descriptor (memory BIOs), so the handshake is cancellable and runs over the practice
 * network unchanged.
 *
 * Threads: the engine's. Ownership: on success the layer owns the connection below; on failure
 * the caller still owns it. struct tls_facts is plain data, by value.
 */
#ifndef SMTPSCOPE_TLS_H
#define SMTPSCOPE_TLS_H

#include "net.h"

#define TLS_CHAIN_MAX 16
#define TLS_ERRORS_MAX 24
#define TLS_NAMES_MAX 64
#define TLS_NAME_TEXT 256

/* Why a peer could not be verified, or why there is no TLS. The names are those of the report. */
#define TLS_REASON_LIST(X)                                                                         \
    X(TLS_REASON_NONE, N_("none"))                                                                 \
    X(TLS_REASON_EXPIRED, N_("expired"))                                                           \
    X(TLS_REASON_NOT_YET_VALID, N_("not-yet-valid"))                                               \
    X(TLS_REASON_SELF_SIGNED, N_("self-signed"))                                                   \
    X(TLS_REASON_UNTRUSTED_ROOT, N_("untrusted-root"))                                             \
    X(TLS_REASON_INCOMPLETE_CHAIN, N_("incomplete-chain"))                                         \
    X(TLS_REASON_WRONG_NAME, N_("wrong-name"))                                                     \
    X(TLS_REASON_NO_SAN, N_("no-san"))                                                             \
    X(TLS_REASON_REVOKED, N_("revoked"))                                                           \
    X(TLS_REASON_WEAK, N_("weak"))                                                                 \
    X(TLS_REASON_PURPOSE, N_("wrong-purpose"))                                                     \
    X(TLS_REASON_SIGNATURE, N_("bad-signature"))                                                   \
    X(TLS_REASON_OTHER, N_("other"))                                                               \
    X(TLS_REASON_HANDSHAKE, N_("handshake"))         /* alert or no common parameters */           \
    X(TLS_REASON_NOT_TLS, N_("not-tls"))             /* plain text came instead of a TLS record */ \
    X(TLS_REASON_OLD_PROTOCOL, N_("old-protocol"))   /* no common version */                       \
    X(TLS_REASON_NO_SHARED_CIPHER, N_("no-shared-cipher"))                                         \
    X(TLS_REASON_CLIENT_CERT, N_("client-certificate-required"))                                   \
    X(TLS_REASON_UNKNOWN_NAME, N_("unknown-name"))   /* alert unrecognized_name (RFC 6066 3) */    \
    X(TLS_REASON_CLOSED, N_("closed"))               /* peer closed or reset during the handshake */\
    X(TLS_REASON_TIMEOUT, N_("timeout"))

enum tls_reason {
#define X(id, name) id,
    TLS_REASON_LIST(X)
#undef X
};
const char *tls_reason_name(enum tls_reason reason); /* as in the report; untranslated */
const char *tls_reason_word(enum tls_reason reason); /* the same, translated */

struct tls_chain_error {
    int depth;
    int code; /* X509_V_ERR_* */
    enum tls_reason reason;
};

struct tls_cert {
    char subject[TLS_NAME_TEXT]; /* raw text, hostile: escape before showing */
    char issuer[TLS_NAME_TEXT];
    int64_t not_before, not_after; /* seconds since 1970, UTC */
    char key[32];                  /* "RSA 2048", "EC P-256" */
    char signature[48];            /* "sha256WithRSAEncryption" */
    char sha256[65];               /* fingerprint, lower-case hex */
    bool self_signed;
};

struct tls_facts {
    bool done;     /* handshake completed */
    bool verified; /* chain and name are good for `name` */
    char sni[TLS_NAME_TEXT];
    char name[TLS_NAME_TEXT]; /* the name that was checked */
    char version[16], cipher[64], group[32];
    bool client_cert_requested;
    bool secure_renegotiation; /* RFC 5746; many clients refuse a server without */
    enum tls_reason reason; /* the one to show first; TLS_REASON_NONE when verified */
    struct tls_chain_error errors[TLS_ERRORS_MAX];
    size_t error_count;
    struct tls_cert chain[TLS_CHAIN_MAX]; /* as sent, leaf first */
    size_t chain_count;
    char names[TLS_NAMES_MAX][TLS_NAME_TEXT]; /* subjectAltName: DNS names and addresses */
    size_t name_count, name_total;            /* total may be larger than what is kept */
    int alert;              /* alert number received, -1 when none */
    char detail[200];       /* the library's own words, raw */
    char first_bytes[64];   /* when it was not TLS: what came instead, raw */
    size_t first_bytes_len;
    uint8_t binding[64];    /* channel binding data, RFC 9266 (TLS 1.3) or 5929 tls-unique */
    size_t binding_len;
    const char *binding_type;       /* "tls-exporter", "tls-unique" or NULL */
    uint8_t end_point[64];          /* tls-server-end-point, RFC 5929 4.1 */
    size_t end_point_len;
};

/* What a handshake leaves out, to find out what another one stumbled over. */
struct tls_limits {
    bool no_sni;
    bool only_tls_1_2;
};

struct tls_config {
    const char *name;                /* host that the certificate must name; SNI when not an address */
    const char *ca_file;             /* NULL: the system's store */
    const char *ca_pem;              /* trust anchors as PEM text instead; wins over ca_file; or NULL */
    const char *cert_file, *key_file; /* client certificate, or NULL */
    const char *ciphers;             /* NULL: the library's default */
    struct tls_limits limits;
};

/*
 * Handshake as client over `below`. ST_OK: *out is the TLS layer (owns below), facts->done; verified
 * or not. ST_TLS, ST_EOF, ST_RESET, ST_TIMEOUT, ST_CANCELLED, ST_INVALID (bad local file): facts hold
 * the reason, *out is NULL, below is still the caller's. The certificate dates are judged by
 * net_wall_us.
 */
enum status tls_client(struct network *n, struct net_conn *below, const struct tls_config *config,
                       int64_t deadline_us, struct cancel *cancel, struct net_conn **out,
                       struct tls_facts *facts, struct error *error) MUST_CHECK;
/*
 * What ended a TLS layer after the handshake. With TLS 1.3 a server's "no" to our (missing)
 * certificate comes only then: reason TLS_REASON_CLIENT_CERT on the first read. Zeroed, alert -1,
 * for a layer that is well, and for connections that are no TLS.
 */
struct tls_failure {
    enum tls_reason reason;
    int alert;        /* received, or -1 */
    bool truncated;   /* the peer ended TCP without close_notify: the end may be an attacker's */
    char detail[200]; /* the library's own words, raw */
};
void tls_last_failure(const struct net_conn *c, struct tls_failure *out);

/*
 * The library looks for its algorithms when they are wanted first, for some milliseconds. Who calls
 * this while an answer is on its way has that behind it when the answer comes.
 */
void tls_warm_up(void);

const char *tls_library_version(void);

#endif
