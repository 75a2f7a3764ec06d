module chief

go 1.19
