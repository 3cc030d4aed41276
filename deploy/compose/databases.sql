-- One database a service; a county's server holds all three.
CREATE DATABASE catalog;
CREATE DATABASE sharing;
CREATE DATABASE notify;
