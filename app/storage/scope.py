import uuid

from sqlmodel import Field, SQLModel


class MunicipalityScoped(SQLModel):
    municipality_id: uuid.UUID = Field(foreign_key="municipality.id")
