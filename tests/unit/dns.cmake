unit(dns_msg dns)
unit(dns_name dns)
