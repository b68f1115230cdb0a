#include "practice_cert.h"

#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "escape.h"
#include "net.h"

EVP_PKEY *cert_key_new(const char *kind)
{
    if (strcmp(kind, "rsa2048") == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    }
    if (strcmp(kind, "rsa1024") == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static bool is_utf8(struct span text)
{
    uint32_t code_point;
    size_t at = 0;
    size_t n = 1;
    while (at < text.len && n > 0) {
        n = utf8_decode(text.p + at, text.len - at, &code_point);
        at += n;
    }
    return n > 0;
}

/* The bytes go in as they are, under the one type that may hold anything where they are no UTF-8:
   what a decent library would refuse to make is what a reader has to survive. */
static bool add_common_name(X509_NAME *name, struct span text)
{
    int type = is_utf8(text) ? V_ASN1_UTF8STRING : V_ASN1_T61STRING;
    return X509_NAME_add_entry_by_NID(name, NID_commonName, type, (const unsigned char *)text.p,
                                      (int)text.len, -1, 0) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e != NULL && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static GENERAL_NAME *general_name(const struct buf *text)
{
    struct net_address a;
    GENERAL_NAME *name = GENERAL_NAME_new();
    bool is_address = net_address_parse(buf_str(text), &a);
    ASN1_STRING *value = ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    const void *p = is_address ? (const void *)a.bytes : (const void *)buf_str(text);
    size_t len = !is_address ? text->len : a.family == 4 ? 4 : 16;
    if (name == NULL || value == NULL || ASN1_STRING_set(value, p, (int)len) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, is_address ? GEN_IPADD : GEN_DNS, value);
    return name;
}

static bool add_names(X509 *cert, const struct cert_request *request)
{
    if (request->name_count == 0) {
        return true;
    }
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < request->name_count; i++) {
        GENERAL_NAME *name = general_name(&request->names[i]);
        ok = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
        if (!ok) {
            GENERAL_NAME_free(name);
        }
    }
    ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return ok;
}

static bool fill(X509 *cert, const struct cert_request *request)
{
    X509 *issuer = request->issuer != NULL ? request->issuer : cert;
    if (X509_set_version(cert, 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), request->serial) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)request->from_s) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)request->until_s) == NULL ||
        X509_set_pubkey(cert, request->key) != 1 ||
        !add_common_name(X509_get_subject_name(cert), request->subject) ||
        X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1) {
        return false;
    }
    return add_extension(cert, issuer, NID_basic_constraints,
                         request->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage,
                         request->ca ? "critical,keyCertSign,cRLSign"
                                     : "critical,digitalSignature,keyEncipherment") &&
           (request->ca || add_extension(cert, issuer, NID_ext_key_usage,
                                         request->for_clients ? "clientAuth" : "serverAuth")) &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           (request->issuer == NULL ||
            add_extension(cert, issuer, NID_authority_key_identifier, "keyid")) &&
           add_names(cert, request);
}

/* The signature ends the encoding (RFC 5280 4.1), so its last bit is the last one there is. */
static X509 *forge(X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    X509 *forged = NULL;
    if (len > 0) {
        const unsigned char *p = der;
        der[len - 1] ^= 1;
        forged = d2i_X509(NULL, &p, len);
    }
    OPENSSL_free(der);
    X509_free(cert);
    return forged;
}

X509 *cert_new(const struct cert_request *request)
{
    EVP_PKEY *signer = request->issuer_key != NULL ? request->issuer_key : request->key;
    X509 *cert = X509_new();
    if (cert == NULL || !fill(cert, request) || X509_sign(cert, signer, EVP_sha256()) == 0) {
        X509_free(cert);
        return NULL;
    }
    return request->forged ? forge(cert) : cert;
}
