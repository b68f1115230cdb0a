#include "tls_facts.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/tls1.h>

#include "text.h"

static const char *const reason_names[] = {
#define X(id, name) name,
    TLS_REASON_LIST(X)
#undef X
};

static const char *const reason_texts[] = {
    [TLS_REASON_NONE] = N_("The TLS handshake failed."),
    [TLS_REASON_EXPIRED] = N_("The certificate has expired."),
    [TLS_REASON_NOT_YET_VALID] = N_("The certificate is not valid yet."),
    [TLS_REASON_SELF_SIGNED] = N_("The certificate is signed by itself."),
    [TLS_REASON_UNTRUSTED_ROOT] = N_("The certificate comes from an untrusted authority."),
    [TLS_REASON_INCOMPLETE_CHAIN] = N_("The server does not send its intermediate certificate."),
    [TLS_REASON_WRONG_NAME] = N_("The certificate is for another name."),
    [TLS_REASON_NO_SAN] = N_("The certificate has no subjectAltName."),
    [TLS_REASON_REVOKED] = N_("The certificate has been revoked."),
    [TLS_REASON_WEAK] = N_("The certificate uses a key or a signature that is too weak."),
    [TLS_REASON_PURPOSE] = N_("A certificate is used for what it was not issued for."),
    [TLS_REASON_SIGNATURE] = N_("A signature in the certificate chain is wrong."),
    [TLS_REASON_OTHER] = N_("The certificate could not be verified."),
    [TLS_REASON_HANDSHAKE] = N_("The TLS handshake failed."),
    [TLS_REASON_NOT_TLS] = N_("The server answered with plain text instead of TLS."),
    [TLS_REASON_OLD_PROTOCOL] = N_("The two sides have no TLS version in common."),
    [TLS_REASON_NO_SHARED_CIPHER] = N_("The two sides have no cipher in common."),
    [TLS_REASON_CLIENT_CERT] = N_("The server wants a client certificate."),
    [TLS_REASON_UNKNOWN_NAME] = N_("The server does not know the name that was asked for."),
    [TLS_REASON_CLOSED] = N_("The server closed the connection during the TLS handshake."),
    [TLS_REASON_TIMEOUT] = N_("The TLS handshake took too long."),
};

const char *tls_reason_name(enum tls_reason reason)
{
    size_t i = (size_t)reason;
    return i < ARRAY_LEN(reason_names) ? reason_names[i] : "other";
}

const char *tls_reason_word(enum tls_reason reason)
{
    return _(tls_reason_name(reason));
}

const char *tls_reason_text(enum tls_reason reason)
{
    size_t i = (size_t)reason;
    return _(reason_texts[i < ARRAY_LEN(reason_texts) ? i : TLS_REASON_OTHER]);
}

struct number_reason {
    int number;
    enum tls_reason reason;
};

static enum tls_reason find(const struct number_reason *table, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].number == number) {
            return table[i].reason;
        }
    }
    return TLS_REASON_HANDSHAKE;
}

/*
 * What servers say when a certificate was asked for and none came. Before TLS 1.3 there was no
 * alert of its own for that: OpenSSL sends handshake_failure, others choose freely.
 */
static const struct number_reason missing_cert_alerts[] = {
    {SSL3_AD_HANDSHAKE_FAILURE, TLS_REASON_CLIENT_CERT},
    {SSL3_AD_NO_CERTIFICATE, TLS_REASON_CLIENT_CERT},
    {SSL3_AD_BAD_CERTIFICATE, TLS_REASON_CLIENT_CERT},
    {SSL3_AD_UNSUPPORTED_CERTIFICATE, TLS_REASON_CLIENT_CERT},
    {SSL3_AD_CERTIFICATE_UNKNOWN, TLS_REASON_CLIENT_CERT},
    {TLS1_AD_ACCESS_DENIED, TLS_REASON_CLIENT_CERT},
};

static const struct number_reason alerts[] = {
    {SSL3_AD_CLOSE_NOTIFY, TLS_REASON_CLOSED},
    {TLS1_AD_PROTOCOL_VERSION, TLS_REASON_OLD_PROTOCOL},
    {TLS1_AD_INSUFFICIENT_SECURITY, TLS_REASON_NO_SHARED_CIPHER},
    {TLS1_AD_UNRECOGNIZED_NAME, TLS_REASON_UNKNOWN_NAME},
    {TLS13_AD_CERTIFICATE_REQUIRED, TLS_REASON_CLIENT_CERT},
};

static const struct number_reason errors[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_VERSION_TOO_LOW, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_UNSUPPORTED_SSL_VERSION, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_WRONG_SSL_VERSION, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_WRONG_VERSION_NUMBER, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, TLS_REASON_OLD_PROTOCOL},
    {SSL_R_NO_SHARED_CIPHER, TLS_REASON_NO_SHARED_CIPHER},
    {SSL_R_NO_CIPHERS_AVAILABLE, TLS_REASON_NO_SHARED_CIPHER},
    {SSL_R_UNKNOWN_CIPHER_RETURNED, TLS_REASON_NO_SHARED_CIPHER},
    {SSL_R_WRONG_CIPHER_RETURNED, TLS_REASON_NO_SHARED_CIPHER},
};

enum tls_reason tls_reason_of_alert(int alert, bool before_hello, bool cert_missing)
{
    if (cert_missing) {
        enum tls_reason r = find(missing_cert_alerts, ARRAY_LEN(missing_cert_alerts), alert);
        if (r != TLS_REASON_HANDSHAKE) {
            return r;
        }
    }
    if (before_hello && alert == SSL3_AD_HANDSHAKE_FAILURE) {
        /* RFC 8446 6.2: no acceptable set of parameters; all that the server saw is our offer. */
        return TLS_REASON_NO_SHARED_CIPHER;
    }
    return find(alerts, ARRAY_LEN(alerts), alert);
}

enum tls_reason tls_reason_of_error(unsigned long err)
{
    if (ERR_GET_LIB(err) != ERR_LIB_SSL) {
        return TLS_REASON_HANDSHAKE;
    }
    return find(errors, ARRAY_LEN(errors), ERR_GET_REASON(err));
}

bool tls_looks_like_record(const char *p, size_t len)
{
    const unsigned char *s = (const unsigned char *)p;
    return len == 0 || (s[0] >= 20 && s[0] <= 24 && (len < 2 || s[1] == SSL3_VERSION_MAJOR));
}
