"""Elasticsearch, Logstash and Kibana: their files, users, certificates, index template and lifecycle."""
